"""Which registries a cluster pulls from, and who may: settled and checked before any host is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.actions.session import Surroundings
from sealpy.actions.setup import Preparation, prepare
from sealpy.clusterfile import dumps, loads
from sealpy.context import Context
from sealpy.engine import Connections
from sealpy.errors import ConfigError
from sealpy.image.metadata import ContainerImageUse
from sealpy.image.store import Store
from sealpy.phases.start_registry import PrepareAuthority, registry_digest
from sealpy.phases.trust_registry import TrustRegistry
from sealpy.phases.write_hosts import WriteHosts
from sealpy.sdk import Put, Run
from sealpy.testing.builders import a_stored_image, good_facts, walk
from sealpy.testing.connector import FakeConnector

CLUSTER = """\
kind: Cluster
spec:
  image: kubernetes:v1
  hosts:
    - {{ips: [10.0.0.1], roles: [master]}}
    - {{ips: [10.0.0.2], roles: [node]}}
  registry: {registry}
"""
KUBEADM = b"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
EXTERNAL = "{domain: hub.example, port: 5001, username: puller, passwordFrom: {env: HUB}}"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB", "geheim")


def prepared(tmp_path: Path, registry: str, secrets: list[str] | None = None) -> Preparation:
    uses = (ContainerImageUse(image="nginx:1"),)
    image = a_stored_image(Store(tmp_path), {"etc/kubeadm.yml": KUBEADM}, container_images=uses)
    told: list[str] = [] if secrets is None else secrets
    around = Surroundings(home=Path("/nonexistent"), emit=lambda _: None, secret=told.append)
    return prepare(loads(CLUSTER.format(registry=registry), name="Clusterfile"), image, around)


def context(tmp_path: Path, registry: str) -> Context:
    ctx = prepared(tmp_path, registry).make_context(Connections(FakeConnector), lambda _: None)
    ctx.facts.update({host: good_facts(f"host-{host}") for host in ctx.inventory.addresses})
    return ctx


def test_with_an_external_registry_alone_the_cluster_runs_none(tmp_path: Path) -> None:
    ctx = context(tmp_path, f"{{externalRegistry: {EXTERNAL}}}")
    assert (ctx.registry.hosts, ctx.registry.url) == ((), "hub.example:5001")
    assert PrepareAuthority().skip(ctx) == "the registry is elsewhere"
    env = ctx.env["10.0.0.1"]
    assert {name: value for name, value in env.items() if "Registry" in name} == {
        "ExternalRegistryDomain": "hub.example",
        "ExternalRegistryPort": "5001",
        "ExternalRegistryURL": "hub.example:5001",
        "RegistryDomain": "hub.example",
        "RegistryPort": "5001",
        "RegistryURL": "hub.example:5001",
    }
    assert ctx.runtime.plan.registry_url == "hub.example:5001"  # type: ignore[attr-defined] # a Kubeadm


def test_hosts_are_told_of_it_once_and_find_no_registry_in_etc_hosts(tmp_path: Path) -> None:
    ctx = context(tmp_path, f"{{externalRegistry: {EXTERNAL}}}")
    steps, _ = walk(TrustRegistry().steps(ctx, "10.0.0.2"))
    files = [step for step in steps if isinstance(step, Put)]
    assert [step.path.split("/")[-2] for step in files] == ["hub.example:5001", "docker.io", "_default"]
    (names,) = [step for step in walk(WriteHosts().steps(ctx, "10.0.0.2"))[0] if isinstance(step, Run)]
    assert "sea.hub" not in names.argv[-1]


def test_beside_it_the_cluster_runs_its_own_when_the_file_says_so(tmp_path: Path) -> None:
    registry = f"{{localRegistry: {{port: 5002}}, externalRegistry: {EXTERNAL}}}"
    ctx = context(tmp_path, registry)
    assert (ctx.registry.hosts, ctx.registry.url) == (("10.0.0.1",), "sea.hub:5002")
    env = ctx.env["10.0.0.1"]
    assert (env["RegistryURL"], env["LocalRegistryURL"]) == ("hub.example:5001", "sea.hub:5002")


@pytest.mark.parametrize("local", ["", "localRegistry: {}, ", "localRegistry: {ha: false}, "])
def test_the_saved_file_runs_the_same_registries_and_holds_no_password(local: str) -> None:
    registry = f"{{{local}externalRegistry: {{domain: hub.example, username: a, password: geheim}}}}"
    found = loads(CLUSTER.format(registry=registry), name="Clusterfile")
    saved = loads(dumps(found), name="saved")
    assert saved.cluster.registry.runs == bool(local)
    assert "geheim" not in dumps(found)


def test_every_form_of_a_password_is_told_before_it_can_be_shown(tmp_path: Path) -> None:
    secrets: list[str] = []
    prepared(tmp_path, "{localRegistry: {username: puller, passwordFrom: {env: HUB}}}", secrets).check()
    assert {"geheim", "cHVsbGVyOmdlaGVpbQ=="} <= set(secrets)


def test_another_password_or_protocol_starts_the_registry_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = "{localRegistry: {username: puller, passwordFrom: {env: HUB}}}"
    digests = {registry_digest(context(tmp_path / "a", registry), "10.0.0.1", "f") for registry in (account, "{}")}
    monkeypatch.setenv("HUB", "another")
    digests.add(registry_digest(context(tmp_path / "b", account), "10.0.0.1", "f"))
    digests.add(registry_digest(context(tmp_path / "c", "{localRegistry: {insecure: true}}"), "10.0.0.1", "f"))
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("registry", "told"),
    [
        ("{localRegistry: {username: a}}", "registry.localRegistry: there is a username, but no password"),
        ("{localRegistry: {password: geheim}}", "registry.localRegistry: there is a password, but no username"),
        ("{externalRegistry: {domain: a.b, username: a}}", "registry.externalRegistry: there is a username"),
        ("{localRegistry: {username: a, passwordFrom: {env: NOBODY_SET_IT}}}", "the variable is not set"),
        (f"{{localRegistry: {{username: a, password: {'geheim' * 20}}}}}", "the password of 'a' is too long"),
        (
            "{localRegistry: {domain: a.b}, externalRegistry: {domain: a.b, port: 5000}}",
            "'a.b:5000' is both the registry of the cluster and the external one",
        ),
    ],
)
def test_an_account_that_is_half_given_is_refused_and_yet_the_cluster_can_be_removed(
    registry: str, told: str, tmp_path: Path
) -> None:
    found = prepared(tmp_path, registry)
    with pytest.raises(ConfigError) as caught:
        found.check()
    assert told in caught.value.message
    assert "geheim" not in caught.value.message
