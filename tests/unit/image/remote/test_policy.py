"""When a registry is asked for an image that may be here already."""

from __future__ import annotations

import pytest

from sealpy.errors import RemoteError, StoreError
from sealpy.image.remote import PullPolicy
from sealpy.image.remote.platforms import read_platform
from sealpy.image.remote.policy import ensure
from sealpy.testing.registry import FakeRegistry, Fault
from tests.unit.image.remote.client import Client


@pytest.fixture
def stocked(client: Client) -> Client:
    """Have one image in the registry, and another one of the same name here."""
    client.push(client.image(big=b"theirs"))
    client.image(big=b"ours")
    client.registry.seen.clear()
    return client


def got(client: Client, policy: PullPolicy, *, store: str = "here", platform: str = "linux/amd64") -> str:
    platforms = (read_platform(platform),)
    name = client.name()
    store_ = client.store(store)
    return ensure(store_, client.remotes(), name, policy=policy, emit=client.events.append, platforms=platforms).digest


@pytest.mark.parametrize("policy", [PullPolicy.NEVER, PullPolicy.MISSING])
def test_what_is_here_is_taken_without_a_question(stocked: Client, policy: PullPolicy) -> None:
    ours = stocked.store().resolve(stocked.name()).digest
    assert got(stocked, policy) == ours
    assert stocked.registry.seen == []


@pytest.mark.parametrize("policy", [PullPolicy.ALWAYS, PullPolicy.IFNEWER])
def test_what_is_there_is_taken_in_its_place(stocked: Client, policy: PullPolicy) -> None:
    ours = stocked.store().resolve(stocked.name()).digest
    assert got(stocked, policy) != ours


@pytest.mark.parametrize("policy", [PullPolicy.ALWAYS, PullPolicy.IFNEWER, PullPolicy.MISSING])
def test_what_is_missing_is_pulled(stocked: Client, policy: PullPolicy) -> None:
    digest = got(stocked, policy, store="empty")
    assert stocked.store("empty").resolve(stocked.name()).digest == digest


def test_never_means_never(stocked: Client) -> None:
    with pytest.raises(StoreError, match="not among the local images"):
        got(stocked, PullPolicy.NEVER, store="empty")
    assert stocked.registry.seen == []


def test_an_image_for_another_platform_is_missing(stocked: Client) -> None:
    with pytest.raises(Exception, match="for linux/amd64 alone"):
        got(stocked, PullPolicy.MISSING, platform="linux/arm64")


def test_a_registry_that_cannot_be_asked_is_no_obstacle_when_an_older_one_is_here(stocked: Client) -> None:
    ours = stocked.store().resolve(stocked.name()).digest
    stocked.registry.faults.append(Fault("GET .*/manifests/", times=-1, status=403))
    assert got(stocked, PullPolicy.IFNEWER) == ours
    assert any("using what is here" in warning for warning in stocked.warnings)
    with pytest.raises(RemoteError):
        got(stocked, PullPolicy.ALWAYS)


def test_a_missing_image_is_told_with_what_the_registry_says(client: Client, registry: FakeRegistry) -> None:
    with pytest.raises(RemoteError, match=r"not among the local images; .*manifest unknown"):
        got(client, PullPolicy.MISSING)
    assert registry.seen


def test_a_missing_image_is_told_with_the_one_here_that_is_like_it(client: Client) -> None:
    client.image()
    here = client.name()
    wrong = client.name("team/shp:1")
    with pytest.raises(RemoteError) as caught:
        ensure(client.store(), client.remotes(), wrong, policy=PullPolicy.MISSING, emit=client.events.append)
    assert caught.value.hint.startswith(f"did you mean '{here.familiar}', which is here? else ")
