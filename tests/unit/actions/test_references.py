"""Secrets of a Clusterfile: they reach the hosts, stand in nothing that is saved, and are found again or asked for."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest

from sealpy.actions.remove import remove
from sealpy.actions.setup import prepare
from sealpy.cli.hosts import widened
from sealpy.clusterfile import Clusterfile, load
from sealpy.engine import Connections
from sealpy.errors import ClusterfileError
from sealpy.testing.connector import FakeConnector
from tests.unit.actions.conftest import World, clusterfile

A, B, C = (f"10.0.0.{n}" for n in range(1, 4))
MARKER, OTHER = "Marker-of-a-secret", "Another-secret-1"
_SPEC = "path: manifests/db.yaml, process: value|toSecret"
_CONFIG = f"---\nkind: Config\nmetadata: {{name: db}}\nspec: {{{_SPEC}, dataFrom: {{env: DB_DATA}}}}\n"


def with_secret(value: str = MARKER, masters: Sequence[str] = (A,)) -> Clusterfile:
    """Write a Clusterfile whose Secret and environment hold a value."""
    config = f"---\nkind: Config\nmetadata: {{name: db}}\nspec: {{{_SPEC}, data: {{dsn: {value}}}}}\n"
    return clusterfile(masters, [B], more=f"env: [DB_PASSWORD={value}, COLOR=red]", plugins=config)


def referring(masters: Sequence[str] = (A,)) -> Clusterfile:
    """Write one that refers to them."""
    return clusterfile(masters, [B], more="env: [DB_PASSWORD]", plugins=_CONFIG)


def kept(world: World) -> Clusterfile:
    """Read what the last run kept."""
    return load(world.home / "clusters/my-cluster/Clusterfile")


def saved_in(world: World) -> bytes:
    """Give all that is saved here and in the cluster."""
    here = b"".join(path.read_bytes() for path in world.home.rglob("*") if path.is_file())
    return here + repr(world.fleet.config_maps).encode()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("DB_PASSWORD", MARKER)
    monkeypatch.setenv("DB_DATA", f"dsn: {MARKER}\n")
    return monkeypatch


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("wanted", [with_secret(), referring()], ids=["written out", "by reference"])
def test_a_secret_reaches_the_hosts_and_stands_in_nothing_that_is_saved(world: World, wanted: Clusterfile) -> None:
    secrets: list[str] = []
    world.apply(wanted, secret=secrets.append)
    stored = saved_in(world)
    assert b"COLOR=red" in stored or b"DB_DATA" in stored
    for spelling in (MARKER.encode(), base64.b64encode(MARKER.encode())):
        assert spelling not in stored
    assert MARKER in secrets
    world.fleet.restart()
    assert world.apply(wanted).changed == 0


def test_another_secret_is_noticed_though_the_old_one_is_saved_nowhere(world: World) -> None:
    world.apply(with_secret())
    before = world.fleet.machine(A).marks["rootfs"]
    world.fleet.restart()
    assert world.apply(with_secret(OTHER)).changed
    assert world.fleet.machine(A).marks["rootfs"] != before
    world.fleet.restart()
    assert world.apply(with_secret(OTHER)).changed == 0


@pytest.mark.usefixtures("known")
def test_hosts_are_added_to_what_was_kept_as_long_as_its_references_lead_somewhere(world: World) -> None:
    world.apply(referring())
    more = widened(kept(world), masters="", nodes=C, ssh=referring().cluster.ssh)
    world.apply(more)
    assert C in {node.address for node in world.fleet.nodes()}
    assert world.fleet.machine(C).marks["rootfs"]


def test_without_its_secrets_what_was_kept_is_refused_before_any_host_is_touched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply(with_secret())
    world.fleet.restart()
    more = widened(kept(world), masters="", nodes=C, ssh=with_secret().cluster.ssh)
    with pytest.raises(ClusterfileError, match="env DB_PASSWORD: no value is given") as caught:
        world.apply(more)
    assert caught.value.hint.startswith("export DB_PASSWORD=…")
    monkeypatch.setenv("DB_PASSWORD", MARKER)
    with pytest.raises(ClusterfileError, match="Config 'db': its text is a secret, and was not saved") as caught:
        world.apply(more)
    assert "sealpy apply -f" in caught.value.hint
    assert world.fleet.log == []


def test_what_a_reference_does_not_lead_to_is_told_by_its_name(world: World) -> None:
    with pytest.raises(ClusterfileError, match="env DB_PASSWORD"):
        world.apply(referring())
    with pytest.raises(ClusterfileError, match="Config 'db': dataFrom env 'DB_DATA': the variable is not set"):
        world.apply(clusterfile([A], plugins=_CONFIG))
    assert world.fleet.log == []


def test_workers_leave_and_clusters_go_without_the_secrets(world: World) -> None:
    world.apply(with_secret(masters=[A, C]))
    remove(kept(world), [B], world.image, world.around())
    assert world.warnings.count("env DB_PASSWORD: no value is known here") == 1
    assert {node.address for node in world.fleet.nodes()} == {A, C}
    with pytest.raises(ClusterfileError, match="env DB_PASSWORD"):  # those that stay get their files anew
        remove(kept(world), [A], world.image, world.around())
    world.events.clear()
    world.delete(kept(world), image=world.image)
    assert "env DB_PASSWORD: no value is known here" in world.warnings
    assert world.fleet.machine(A).marks == {}


def test_plugins_on_a_host_that_leaves_go_without_its_secrets_and_that_is_told(world: World) -> None:
    world.apply(clusterfile([A], [B], hosts=f"{{ips: [{C}], roles: [node], env: [DISK_PASSWORD={MARKER}]}}"))
    world.events.clear()
    world.apply(clusterfile([A], [B]))
    assert world.warnings == ["env DISK_PASSWORD: no value is known here"]
    assert world.fleet.machine(C).marks == {}


@pytest.mark.usefixtures("known")
def test_scripts_and_files_of_a_host_get_what_is_referred_to(world: World) -> None:
    more = "env: [DB_PASSWORD]"
    found = clusterfile([A], more=more, hosts=f"{{ips: [{B}], roles: [node], env: [DB_DATA]}}", plugins=_CONFIG)
    ctx = prepare(found, world.image, world.around()).make_context(Connections(FakeConnector), lambda _: None)
    assert (ctx.env[A]["DB_PASSWORD"], ctx.env[B]["DB_DATA"]) == (MARKER, f"dsn: {MARKER}\n")
    source = ctx.tree(A).files["manifests/db.yaml"].item.source
    assert isinstance(source, bytes)
    assert base64.b64encode(MARKER.encode()) in source
