"""A cluster is changed by editing its file: who comes, who leaves, who is dead, who leads."""

from __future__ import annotations

import dataclasses

import pytest

from sealpy.clusterfile import Clusterfile
from sealpy.errors import (
    ConfigError,
    InterruptedRunError,
    PartlyDoneError,
    PhaseError,
    PluginFailedError,
    PreflightError,
)
from sealpy.kube import NodeTaint, Pod
from sealpy.sdk import HookPoint, Result
from tests.unit.actions.conftest import World, clusterfile, plugins
from tests.unit.actions.fleet import Killed, Machine

A, B, C, D, E = (f"10.0.0.{n}" for n in range(1, 6))
P = HookPoint


def of(world: World, word: str) -> list[str]:
    """Give the machines on which something was done, by a word of it."""
    return [where for where, what in world.fleet.log if word in what]


def settle(world: World, *steps: Clusterfile) -> None:
    """Apply one file after the other, then begin to count."""
    for step in steps:
        world.apply(step)
    world.fleet.restart()
    world.events.clear()


def nothing_to_change(world: World, wanted: Clusterfile) -> bool:
    world.fleet.restart()
    planned = world.apply(wanted, rehearsal=True).recorded
    report = world.apply(wanted)
    return (planned, report.changed, world.fleet.log) == ((), 0, [])


def test_a_cluster_is_made_and_a_second_apply_changes_nothing(world: World) -> None:
    settle(world, clusterfile([A], [B]))
    assert {node.address for node in world.fleet.nodes()} == {A, B}
    assert nothing_to_change(world, clusterfile([A], [B]))
    world.fleet.restart()
    assert max(world.apply(clusterfile([A], [B])).round_trips.values()) <= 3


def test_new_hosts_join_and_the_others_are_not_touched(world: World) -> None:
    settle(world, clusterfile([A], [B]))
    wanted = clusterfile([A, C], [B, D], plugins=plugins(P.PRE_JOIN, P.POST_JOIN))
    world.apply(wanted)
    assert of(world, "kubeadm join") == [C, D]
    assert sorted(of(world, "plugin PreJoin")) == sorted(of(world, "plugin PostJoin")) == [C, D]
    assert {what for where, what in world.fleet.log if where == B} <= {
        "put /etc/containerd/certs.d/sea.hub:5000/hosts.toml",
        "put /etc/containerd/certs.d/_default/hosts.toml",
    }
    assert world.fleet.members == [A, C]
    assert nothing_to_change(world, wanted)


def test_hosts_that_the_file_names_no_more_are_drained_forgotten_and_cleaned(world: World) -> None:
    settle(world, clusterfile([A, B, C], [D, E]))
    world.fleet.pods["n5"] = [Pod("default", "web-1"), Pod("default", "web-2")]
    wanted = clusterfile([A], [D], plugins=plugins(P.PRE_CLEAN, P.POST_CLEAN_HOST))
    world.apply(wanted)
    assert sorted(of(world, "cordon")) == [B, C, E]
    assert of(world, "evict") == ["n5", "n5"]
    assert [what for _, what in world.fleet.log if "etcd" in what] == [f"etcd forgets {B}", f"etcd forgets {C}"]
    assert sorted(of(world, "plugin PreClean")) == sorted(of(world, "plugin post-clean-host")) == [B, C, E]
    assert sorted(of(world, "delete node")) == sorted(of(world, "remove files")) == [B, C, E]
    order = [what for where, what in world.fleet.log if where == E]
    assert order.index("cordon n5") < order.index("reset") < order.index("delete node n5") < order.index("remove files")
    for gone in (B, C, E):
        assert world.fleet.machine(gone).marks == {}
        assert world.fleet.machine(gone).kube == ""
    assert nothing_to_change(world, wanted)


def test_a_dead_host_blocks_nothing_and_what_is_left_on_it_is_told(world: World) -> None:
    settle(world, clusterfile([A, B, C], [D]))
    world.fleet.machine(C).off = world.fleet.machine(D).off = True
    wanted = clusterfile([A, B], [E])
    world.apply(wanted)
    assert {node.address for node in world.fleet.nodes()} == {A, B, E}
    assert world.fleet.members == [A, B]
    log = world.fleet.log
    assert log.index(("10.0.0.1", f"etcd forgets {C}")) < log.index((E, "kubeadm join")), "etcd takes nobody before"
    assert next(message for message in world.warnings if "on which everything stays" in message).startswith(C)
    assert nothing_to_change(world, wanted)


def test_a_pod_that_a_budget_protects_keeps_its_node_until_it_is_forced(world: World) -> None:
    settle(world, clusterfile([A], [B, C]))
    pod = Pod("shop", "db-0")
    world.fleet.pods["n3"] = [pod]
    world.fleet.refused[pod] = "needs 1 healthy pod"
    with pytest.raises(PhaseError, match="Drain the nodes") as caught:
        world.apply(clusterfile([A], [B]), drain=0.0)
    assert "shop/db-0: needs 1 healthy pod" in caught.value.errors[C].message
    assert "--force" in caught.value.hint
    assert world.fleet.machine(C).kube == "worker"
    world.apply(clusterfile([A], [B]), drain=0.0, force=True)
    assert any("shop/db-0" in message and "leaves all the same" in message for message in world.warnings)
    assert world.fleet.machine(C).kube == ""


def test_a_host_that_left_while_it_was_off_joins_anew(world: World) -> None:
    settle(world, clusterfile([A], [B, C]))
    world.fleet.machine(C).off = True
    world.apply(clusterfile([A], [B]))
    world.fleet.machine(C).off = False
    world.fleet.restart()
    world.apply(clusterfile([A], [B, C]))
    assert of(world, "kubeadm reset") == of(world, "kubeadm join") == [C]
    assert nothing_to_change(world, clusterfile([A], [B, C]))


@pytest.mark.parametrize("dead", [False, True])
def test_another_control_plane_leads_when_the_first_one_leaves(world: World, *, dead: bool) -> None:
    settle(world, clusterfile([A, B], [C]))
    world.fleet.machine(A).off = dead
    wanted = clusterfile([B], [C])
    world.apply(wanted)
    assert {node.address for node in world.fleet.nodes()} == {B, C}
    assert world.fleet.members == [B]
    assert of(world, "kubeadm init") == [], "no second cluster"
    assert nothing_to_change(world, wanted)


def test_the_order_of_control_planes_in_the_file_does_not_matter_once_they_are_there(world: World) -> None:
    settle(world, clusterfile([A, B], [C]))
    assert nothing_to_change(world, clusterfile([B, A], [C])) is False  # the file is saved as it is now
    assert nothing_to_change(world, clusterfile([B, A], [C]))
    assert of(world, "kubeadm") == []


@pytest.mark.parametrize(
    ("masters", "nodes", "told"),
    [
        ([D], [B], "nodes of cluster 'my-cluster', none of whose control planes is in the file"),
        ([A, B], [], "10.0.0.2 is a worker, and cannot become a control plane as it is"),
    ],
)
def test_what_a_cluster_would_not_survive_is_refused_before_anything_is_changed(
    world: World, masters: list[str], nodes: list[str], told: str
) -> None:
    settle(world, clusterfile([A], [B]))
    with pytest.raises(ConfigError, match=told):
        world.apply(clusterfile(masters, nodes))
    assert world.fleet.log == []


def test_the_operator_is_asked_before_a_host_leaves(world: World) -> None:
    settle(world, clusterfile([A], [B, C]))
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(InterruptedRunError, match="nothing was changed"):
        world.apply(clusterfile([A], [B]), confirm=no)
    assert asked == [f"remove {C} from cluster 'my-cluster'?"]
    assert world.fleet.log == []


def test_a_command_that_names_fewer_hosts_than_there_are_takes_none_out(world: World) -> None:
    settle(world, clusterfile([A], [B, C]))
    with pytest.raises(ConfigError, match=rf"cluster 'my-cluster' has {C}, too") as caught:
        world.apply(clusterfile([A], [B]), drastic="refused")
    assert "sealpy delete --nodes" in caught.value.hint
    assert world.fleet.log == []


def test_the_files_of_a_living_cluster_do_not_move(world: World) -> None:
    settle(world, clusterfile([A]))
    with pytest.raises(ConfigError, match="dataRoot of cluster 'my-cluster' is /var/lib/sealpy/data"):
        world.apply(clusterfile([A], more="dataRoot: /data"))
    assert world.fleet.log == []


def test_workers_may_fail_as_far_as_the_operator_says_and_are_named_at_the_end(world: World) -> None:
    world.fleet.machine(C).off = True
    with pytest.raises(PhaseError, match="Connect"):
        world.apply(clusterfile([A], [B, C]))
    with pytest.raises(PartlyDoneError, match=rf"but not on {C}") as caught:
        world.apply(clusterfile([A], [B, C]), max_fail=1)
    assert caught.value.exit_code == 7
    assert {node.address for node in world.fleet.nodes()} == {A, B}
    world.fleet.machine(C).off = False
    world.fleet.restart()
    world.apply(clusterfile([A], [B, C]))
    assert of(world, "kubeadm join") == [C]
    assert nothing_to_change(world, clusterfile([A], [B, C]))


def _misfit(machine: Machine, *words: str) -> str:
    facts = _facts(machine, *words)
    return facts.replace("x86_64", "aarch64") if machine.address in {C, D} else facts


def _broken(machine: Machine, argv: tuple[str, ...], script: str) -> Result | None:
    plugin = argv[:2] == ("bash", "-c") and machine.address == C and "/dev/tcp" not in argv[2]
    return Result(exit_status=1, stderr=b"no room") if plugin else _answer(machine, argv, script)


_facts, _answer = Machine._facts, Machine._answer


def test_a_worker_that_fails_a_check_is_left_out_and_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "_facts", _misfit)
    wanted = clusterfile([A], [B, C, D])
    with pytest.raises(PreflightError):
        world.apply(wanted, max_fail=1)
    assert world.fleet.log == []
    with pytest.raises(PartlyDoneError, match=rf"but not on {C}, {D}") as caught:
        world.apply(wanted, max_fail=2)
    assert (caught.value.exit_code, {node.address for node in world.fleet.nodes()}) == (7, {A, B})
    assert f"{C}: processor is aarch64, the image is for amd64 [arch]: the run goes on without it" in world.warnings


def test_a_control_plane_that_fails_a_check_ends_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "_facts", _misfit)
    with pytest.raises(PreflightError) as caught:
        world.apply(clusterfile([A, C], [B, D]), max_fail=9)
    assert set(caught.value.problems) == {C, D}, "every problem is told all the same"
    assert world.fleet.log == []


@pytest.mark.parametrize("point", [P.ORIGINALLY, P.POST_INIT_HOST, P.PRE_GUEST])
def test_a_worker_on_which_a_plugin_fails_is_left_out_and_the_next_run_fires_it_there(
    world: World, monkeypatch: pytest.MonkeyPatch, point: HookPoint
) -> None:
    wanted = clusterfile([A], [B, C], plugins=plugins(point, point))
    with monkeypatch.context() as patch:
        patch.setattr(Machine, "_answer", _broken)
        with pytest.raises(PluginFailedError, match=rf"failed at {point} on {C}"):
            world.apply(wanted)
        with pytest.raises(PartlyDoneError, match=rf"but not on {C}"):
            world.apply(wanted, max_fail=1)
        assert f"plugin 'p0' (SHELL) failed at {point} on {C}: the run goes on without it" in "\n".join(world.warnings)
        assert set(of(world, f"plugin {point}")) == {A, B}
    world.fleet.restart()
    world.apply(wanted)
    assert of(world, f"plugin {point}") == [C, C]
    assert {node.address for node in world.fleet.nodes()} == {A, B, C}
    assert nothing_to_change(world, wanted)


@pytest.mark.parametrize("point", [P.PRE_INIT, P.POST_INSTALL])
def test_a_plugin_that_no_later_run_fires_must_not_fail(
    world: World, monkeypatch: pytest.MonkeyPatch, point: HookPoint
) -> None:
    monkeypatch.setattr(Machine, "_answer", _broken)
    with pytest.raises(PluginFailedError, match=rf"failed at {point} on {C}"):
        world.apply(clusterfile([A], [B, C], plugins=plugins(point)), max_fail=1)


def test_a_control_plane_may_not_fail_whatever_the_operator_says(world: World) -> None:
    world.fleet.machine(B).off = True
    with pytest.raises(PhaseError, match="Connect"):
        world.apply(clusterfile([A, B]), max_fail=5)
    assert world.fleet.log == []


def test_labels_and_taints_that_the_file_gives_no_more_go_and_others_stay(world: World) -> None:
    given = "{ips: [10.0.0.2], roles: [node, db], labels: {zone: east, disk: ssd}, taints: ['a=1:NoSchedule']}"
    settle(world, clusterfile([A], hosts=given))
    node = world.fleet.nodes_by_name["n2"]
    theirs = NodeTaint("theirs", "", "NoExecute")
    world.fleet.nodes_by_name["n2"] = dataclasses.replace(
        node, labels={**node.labels, "theirs": "yes", "disk": "changed"}, taints=(*node.taints, theirs)
    )
    wanted = clusterfile([A], [B])
    world.apply(wanted)
    after = world.fleet.nodes_by_name["n2"]
    assert after.labels == {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/node": "",
        "theirs": "yes",
        "disk": "changed",
    }
    assert after.taints == (theirs,)
    assert nothing_to_change(world, wanted)


KUBELET = "---\nkind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nmaxPods: 50\n"


def test_settings_of_kubernetes_reach_a_living_cluster_once(world: World) -> None:
    settle(world, clusterfile([A], [B]))
    wanted = clusterfile([A], [B], plugins=KUBELET)
    planned = [step.title for step in world.apply(wanted, rehearsal=True).recorded]
    assert planned.count("reconfigure kubelet") == 2
    world.apply(wanted)
    assert sorted(of(world, "sh -c kubeadm upgrade node phase kubelet-config")) == [A, B]
    assert nothing_to_change(world, wanted)


def test_settings_that_a_living_cluster_cannot_change_are_refused_with_the_reason(world: World) -> None:
    settle(world, clusterfile([A], [B]))
    network = (
        "---\nkind: ClusterConfiguration\napiVersion: kubeadm.k8s.io/v1beta4\nnetworking: {podSubnet: 10.9.0.0/16}\n"
    )
    with pytest.raises(ConfigError) as caught:
        world.apply(clusterfile([A], [B], plugins=network))
    assert caught.value.problems[0].message.endswith("pods and services keep the addresses that they have")
    assert world.fleet.log == []


def test_what_was_edited_by_hand_is_put_right_by_the_next_apply(world: World) -> None:
    settle(world, clusterfile([A], [B]))
    machine = world.fleet.machine(B)
    machine.own_hosts = "edited"
    mirror = next(path for path in machine.files if path.endswith("hosts.toml"))
    machine.files[mirror] = b"edited"
    world.apply(clusterfile([A], [B]))
    assert world.fleet.log == [(B, "write hosts"), (B, f"put {mirror}")]


def test_a_plugin_that_was_done_on_some_hosts_fires_on_the_others_alone(world: World) -> None:
    wanted = clusterfile([A], [B, C], plugins=plugins(P.PRE_INIT))
    world.fleet.cut = 2  # behind the second host
    with pytest.raises(Killed):
        world.apply(wanted)
    assert len(of(world, "receive")) == 2
    world.fleet.restart(cut=6)
    with pytest.raises(Killed):
        world.apply(wanted)
    fired = of(world, "plugin PreInit")
    world.fleet.restart()
    world.apply(wanted)
    again = of(world, "plugin PreInit")
    assert fired
    assert len(set(again) & set(fired)) <= 1, "only the one that was in the middle of it"
    assert set(again) | set(fired) == {A, B, C}
