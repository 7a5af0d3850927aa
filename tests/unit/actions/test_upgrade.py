"""A living cluster comes to another image: forward by its file, back by name, and never where it could not go on."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.actions.remove import remove
from sealpy.errors import ConfigError, ImageError, InterruptedRunError, PartlyDoneError, PhaseError, PreflightError
from sealpy.image.metadata import Launch
from sealpy.image.store import Store
from sealpy.kube import Pod
from sealpy.sdk import HookPoint
from sealpy.testing.builders import a_stored_image
from tests.unit.actions.conftest import (
    FIRST,
    MINOR,
    OTHER_APPS,
    PATCH,
    TOO_FAR,
    World,
    clusterfile,
    image_files,
    plugins,
)
from tests.unit.actions.fleet import Killed

A, B, C, D, E = (f"10.0.0.{n}" for n in range(1, 6))
HOOKS = plugins(HookPoint.UPGRADE_HOST, HookPoint.UPGRADE, HookPoint.ROLLBACK)
FILE = clusterfile([A, B, C], [D, E], plugins=HOOKS)


@pytest.fixture(scope="session")
def kept() -> list[World]:
    """Hold the cluster that the first test makes, for the others to begin with."""
    return []


@pytest.fixture
def living(make_world: Callable[[], World], kept: list[World], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a cluster of three control planes and two workers, with a pod on one of them."""
    if not kept:
        first = make_world()
        first.apply(FILE)
        first.fleet.pods["n4"] = [Pod("default", "web")]
        home = tmp_path_factory.mktemp("kept") / "home"
        shutil.copytree(first.home, home)
        kept.append(World(home, first.images, first.image, first.fleet.copy()))
    world = make_world()
    world.fleet = kept[0].fleet.copy()
    shutil.copytree(kept[0].home, world.home)
    return world


def comes_to(world: World, name: str) -> World:
    world.image = world.images[name]
    return world


def versions(world: World) -> set[str]:
    return {
        version
        for machine in world.fleet.machines.values()
        for version in (machine.rootfs, machine.installed, machine.prepared, machine.kubelet)
    }


def where(world: World, *what: str) -> list[str]:
    """Give the hosts on which something of this was done, in its order."""
    return [host for host, done in world.fleet.log if done.startswith(what)]


@pytest.mark.parametrize("name", [PATCH, MINOR])
def test_every_node_comes_to_a_newer_kubernetes_and_a_second_apply_finds_nothing_to_change(
    living: World, name: str
) -> None:
    comes_to(living, name).apply(FILE)
    assert versions(living) == {name}
    assert {node.version for node in living.fleet.nodes()} == {name}
    assert not any(node.unschedulable for node in living.fleet.nodes())
    living.fleet.restart()
    report = living.apply(FILE)
    assert (report.changed, report.sent, living.fleet.log) == (0, 0, [])


def test_control_planes_come_first_and_one_by_one_then_node_after_node(living: World) -> None:
    comes_to(living, MINOR).apply(FILE)
    assert where(living, "kubeadm upgrade apply") == [A]
    assert where(living, "kubeadm upgrade") == [A, B, C, D, E]
    assert where(living, "start kubelet") == [A, B, C, D, E]
    order = [done.rpartition(" ")[0] for host, done in living.fleet.log if host == D]
    steps = ["kubeadm upgrade", "cordon", "stop", "start", "uncordon"]
    assert [done for done in order if done in steps] == steps
    assert living.fleet.pods["n4"] == []


def test_a_snapshot_of_etcd_is_kept_here_before_anything_is_changed(living: World) -> None:
    comes_to(living, PATCH).apply(FILE)
    assert living.fleet.log[0] == (A, "take a snapshot")
    assert len(list((living.home / "clusters" / "my-cluster" / "backups").glob("etcd-*.db"))) == 1


def test_plugins_fire_where_an_upgrade_has_them(living: World) -> None:
    comes_to(living, MINOR).apply(FILE)
    fired = [(host, done) for host, done in living.fleet.log if done.startswith("plugin")]
    assert sorted(fired[:5]) == [(host, "plugin upgrade-host") for host in (A, B, C, D, E)]
    assert fired[5:] == [(A, "plugin upgrade")]
    log = [done for _, done in living.fleet.log]
    assert log.index("receive") < log.index("plugin upgrade-host") < log.index("start registry")
    assert log.index("start registry") < log.index("plugin upgrade") < log.index("kubeadm upgrade apply")


def test_another_image_of_the_same_kubernetes_is_brought_without_a_drain_or_a_snapshot(living: World) -> None:
    comes_to(living, OTHER_APPS).apply(FILE)
    assert where(living, "receive") != []
    assert where(living, "plugin upgrade-host") != []
    assert where(living, "containerd.sh") == [A, B, C, D, E]
    assert where(living, "kubeadm", "cordon", "start kubelet", "take a snapshot") == []
    living.fleet.restart()
    assert living.apply(FILE).changed == 0


def test_a_plan_tells_each_step_and_changes_nothing(living: World) -> None:
    before = living.fleet.state
    report = comes_to(living, MINOR).apply(FILE, rehearsal=True)
    assert (living.fleet.log, living.fleet.state) == ([], before)
    planned = [(step.host, step.title) for step in report.recorded]
    assert ("snapshot" in planned[0][1], planned[0][0]) == (True, A)
    for host, title in [
        (A, f"kubeadm upgrade apply {MINOR}"),
        (B, "kubeadm upgrade node"),
        (D, "cordon n4"),
        (D, "evict 1 pod of n4"),
        (D, "start the kubelet"),
        (D, "uncordon n4"),
    ]:
        assert (host, title) in planned


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        (TOO_FAR, "Kubernetes v1.34.4 cannot become v1.36.0 at once: kubeadm takes one", "with a v1.35 first"),
        ("v1.34.3", "Kubernetes v1.34.3 is older than v1.34.4, which the cluster has", "sealpy rollback goes back"),
        ("v1.33.9", "Kubernetes v1.33.9 is older than v1.34.4, which the cluster has", "restore the snapshot there"),
        ("v1.35.0-rc.1", "version 'v1.35.0-rc.1' of the image is no release", "from one release to another"),
        ("", "version '' of the image is not known", "from one release to another"),
    ],
)
def test_a_version_that_cannot_follow_is_refused_before_anything_is_changed(
    living: World, tmp_path: Path, name: str, message: str, hint: str
) -> None:
    living.image = a_stored_image(Store(tmp_path / "others"), image_files(name), launch=Launch(cmds=("install a",)))
    with pytest.raises(ConfigError, match=message) as refused:
        living.apply(FILE)
    assert hint in refused.value.hint
    assert living.fleet.log == []


def test_a_node_that_is_not_ready_stops_an_upgrade_before_its_first_change(living: World) -> None:
    node = living.fleet.nodes_by_name["n5"]
    living.fleet.nodes_by_name["n5"] = dataclasses.replace(node, reason="no network")
    with pytest.raises(PreflightError) as refused:
        comes_to(living, PATCH).apply(FILE)
    assert "node n5 is not ready: no network" in str(refused.value.problems)
    assert living.fleet.log == []


def test_a_kubelet_that_is_an_upgrade_behind_is_refused_by_name(living: World) -> None:
    node = living.fleet.nodes_by_name["n5"]
    living.fleet.nodes_by_name["n5"] = dataclasses.replace(node, version="v1.32.1")
    with pytest.raises(ConfigError, match=r"the kubelet of n5 is v1\.32\.1, and cannot become v1\.34\.5 at once"):
        comes_to(living, PATCH).apply(FILE)


def test_hosts_do_not_join_or_leave_while_kubernetes_changes(living: World) -> None:
    comes_to(living, PATCH)
    with pytest.raises(ConfigError, match=r"10\.0\.0\.9 cannot join cluster 'my-cluster' while"):
        living.apply(clusterfile([A, B, C], [D, E, "10.0.0.9"]))
    with pytest.raises(ConfigError, match=r"10\.0\.0\.5 cannot leave cluster 'my-cluster' while"):
        living.apply(clusterfile([A, B, C], [D]))
    assert living.fleet.log == []


def test_a_control_plane_that_dies_in_the_middle_may_be_taken_out_and_the_rest_goes_on(living: World) -> None:
    comes_to(living, MINOR)
    with pytest.raises(Killed):
        cut_at(living, "kubeadm upgrade node").apply(FILE)
    living.fleet.restart()
    living.fleet.machine(C).off = True
    living.apply(clusterfile([A, B], [D, E]))
    assert {node.version for node in living.fleet.nodes()} == {MINOR}
    assert sorted(living.fleet.members) == [A, B]


def cut_at(world: World, what: str) -> World:
    """Let the next run end behind the first change of this name."""
    world.fleet.cut_at = what
    return world


def test_a_worker_that_does_not_come_back_stops_the_upgrade_of_the_others(living: World) -> None:
    living.fleet.broken.add("n4")
    with pytest.raises(PhaseError) as stopped:
        comes_to(living, PATCH).apply(FILE)
    errors = {host: error.message for host, error in stopped.value.errors.items()}
    assert "node is ready, at v1.34.5" in errors[D]
    assert errors[E] == "10.0.0.5: left as it is, since 10.0.0.4 failed"
    assert living.fleet.machine(E).kubelet == FIRST
    living.fleet.broken.clear()
    living.fleet.report(living.fleet.machine(D))
    living.apply(FILE)
    assert versions(living) == {PATCH}


def test_with_max_fail_the_others_go_on_and_the_next_run_brings_the_one_that_failed(living: World) -> None:
    living.fleet.broken.add("n4")
    with pytest.raises(PartlyDoneError):
        comes_to(living, PATCH).apply(FILE, max_fail=1)
    assert living.fleet.machine(E).kubelet == PATCH
    living.fleet.broken.clear()
    living.fleet.report(living.fleet.machine(D))
    living.fleet.restart()
    living.apply(FILE)
    assert versions(living) == {PATCH}
    assert not any(node.unschedulable for node in living.fleet.nodes())
    assert where(living, "kubeadm upgrade", "plugin upgrade-host", "start kubelet") == [D], "only what was not done"


def test_pods_that_may_not_go_stop_the_upgrade_of_a_node_which_stays_as_it_was(living: World) -> None:
    living.fleet.refused[Pod("default", "web")] = "the budget of web"
    with pytest.raises(PhaseError) as stopped:
        comes_to(living, PATCH).apply(FILE, drain=0.0)
    assert "1 pod of n4 did not go within 0 s: default/web: the budget of web" in stopped.value.errors[D].message
    assert "--force" in stopped.value.hint
    assert not living.fleet.nodes_by_name["n4"].unschedulable
    living.fleet.forced = True
    living.apply(FILE, drain=0.0, force=True)
    assert versions(living) == {PATCH}
    assert any("it is upgraded beneath them" in warning for warning in living.warnings)


def test_a_pod_that_nobody_would_make_anew_runs_on_beneath_a_kubelet_that_changes(living: World) -> None:
    bare = Pod("default", "by-hand", alone=True)
    living.fleet.pods["n4"].append(bare)
    comes_to(living, PATCH).apply(FILE)
    assert living.fleet.pods["n4"] == [bare]


def test_a_node_that_somebody_cordoned_stays_so(living: World) -> None:
    living.fleet.cordon("n5")
    comes_to(living, PATCH).apply(FILE)
    assert [node.name for node in living.fleet.nodes() if node.unschedulable] == ["n5"]


def test_a_cluster_goes_back_by_a_patch_with_its_hook_before_the_older_files_are_sent(living: World) -> None:
    comes_to(living, PATCH).apply(FILE)
    living.fleet.restart()
    with pytest.raises(ConfigError, match="apply does not go back"):
        comes_to(living, FIRST).apply(FILE)
    assert living.fleet.log == []
    living.rollback(FILE)
    assert versions(living) == {FIRST}
    log = [done for _, done in living.fleet.log]
    assert log.index("take a snapshot") < log.index("plugin rollback") < log.index("receive")
    assert where(living, "plugin upgrade") == []
    living.fleet.restart()
    assert living.rollback(FILE).changed == 0
    assert living.apply(FILE).changed == 0


def test_no_way_leads_back_over_a_minor_version(living: World) -> None:
    comes_to(living, MINOR).apply(FILE)
    living.fleet.restart()
    with pytest.raises(ConfigError, match=r"Kubernetes v1\.35\.1 cannot go back to v1\.34\.4") as refused:
        comes_to(living, FIRST).rollback(FILE)
    assert "the snapshot of etcd" in refused.value.hint
    with pytest.raises(ConfigError, match=r"no way back leads there"):
        comes_to(living, TOO_FAR).rollback(FILE)
    assert living.fleet.log == []


def test_an_operator_is_asked_before_kubernetes_changes_and_a_run_by_flags_never_does_it(living: World) -> None:
    comes_to(living, PATCH)
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(InterruptedRunError, match="nothing was changed"):
        living.apply(FILE, confirm=refuse)
    assert asked == ["bring cluster 'my-cluster' from Kubernetes v1.34.4 to v1.34.5, node after node?"]
    with pytest.raises(
        ConfigError, match=r"has Kubernetes v1\.34\.4, and kubernetes:v1\.34\.5 has v1\.34\.5"
    ) as refused:
        living.apply(FILE, drastic="refused")
    assert refused.value.hint.startswith("sealpy upgrade kubernetes:v1.34.5 --cluster my-cluster brings it there")
    assert living.fleet.log == []


def test_nothing_goes_back_where_no_cluster_is(world: World) -> None:
    with pytest.raises(ConfigError, match="there is no cluster 'my-cluster' that could go back"):
        world.rollback(FILE)


@pytest.mark.parametrize("what", ["kubeadm upgrade apply", "stop kubelet", "prepare"])
def test_an_upgrade_that_was_cut_goes_back_by_name_alone(living: World, what: str) -> None:
    comes_to(living, PATCH)
    with pytest.raises(Killed):
        cut_at(living, what).apply(FILE)
    living.fleet.restart()
    comes_to(living, FIRST)
    with pytest.raises(ConfigError, match="apply does not go back"):
        living.apply(FILE)
    living.rollback(FILE)
    assert versions(living) == {FIRST}
    first = living.image.files["bin/kubelet"].sha256
    assert {machine.marks["node"] for machine in living.fleet.machines.values()} == {first}


def test_a_cluster_that_is_half_made_is_not_gone_on_with_by_another_kubernetes(world: World) -> None:
    with pytest.raises(Killed):
        cut_at(world, "kubeadm join").apply(FILE)
    world.fleet.restart()
    with pytest.raises(ImageError, match="cluster 'my-cluster' is half made by another Kubernetes"):
        comes_to(world, PATCH).apply(FILE)


@pytest.mark.parametrize("name", [PATCH, OTHER_APPS])
def test_hosts_that_leave_by_name_make_nobody_believe_that_the_others_have_the_image_that_is_here(
    living: World, name: str
) -> None:
    comes_to(living, name)
    remove(FILE, [E], living.image, living.around())
    living.fleet.restart()
    rest = clusterfile([A, B, C], [D], plugins=HOOKS)
    assert comes_to(living, FIRST).apply(rest).changed == 0
    comes_to(living, name).apply(rest)
    assert where(living, "plugin upgrade") != []
