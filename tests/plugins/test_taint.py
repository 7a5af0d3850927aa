"""TAINT: data and the taints the nodes have → commands."""

from __future__ import annotations

import pytest

from sealpy.errors import PluginError, PluginFailedError
from sealpy.sdk import HookPoint
from sealpy.testing.stage import Stage, cluster, document

KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
CONTROL_PLANE = "node-role.kubernetes.io/control-plane=:NoSchedule"
NODES = f"one\t10.0.0.1 one \t\t{CONTROL_PLANE} \ntwo\t10.0.0.2 two \t\tbatch=yes:PreferNoSchedule old=:NoExecute \n"


def fire(stage: Stage, data: str, at: HookPoint = HookPoint.PRE_GUEST, nodes: str = NODES) -> None:
    stage.machines["10.0.0.1"].on(*KUBECTL, "get", "nodes", stdout=nodes)
    stage.fire(document(type_="TAINT", actions=(at,), data=data), at=at)


def tainted(stage: Stage) -> list[tuple[str, ...]]:
    """Give what follows `kubectl taint node`, each time."""
    return [command[5:] for command in stage.machines["10.0.0.1"].commands if command[3] == "taint"]


# data → what follows `kubectl taint node`, without --overwrite
CHANGES: list[tuple[str, list[tuple[str, ...]]]] = [
    ("10.0.0.2 gpu=a100:NoSchedule", [("two", "gpu=a100:NoSchedule")]),
    ("10.0.0.2 gpu:NoSchedule", [("two", "gpu:NoSchedule")]),
    ("10.0.0.2 gpu=:NoSchedule", [("two", "gpu:NoSchedule")]),
    ("10.0.0.1-10.0.0.9 gpu:NoExecute", [("one", "gpu:NoExecute"), ("two", "gpu:NoExecute")]),
    ("10.0.0.9,10.0.0.2 gpu:NoExecute", [("two", "gpu:NoExecute")]),
    ("10.0.0.2 batch=yes:PreferNoSchedule", []),
    ("10.0.0.2 batch=no:PreferNoSchedule", [("two", "batch=no:PreferNoSchedule")]),
    ("10.0.0.2 batch=yes:NoSchedule", [("two", "batch=yes:NoSchedule")]),
    ("10.0.0.2 old:NoExecute-", [("two", "old:NoExecute-")]),
    ("10.0.0.2 old=x:NoExecute-", [("two", "old:NoExecute-")]),
    ("10.0.0.2 old-", [("two", "old:NoExecute-")]),
    ("10.0.0.2 old:NoSchedule-", []),
    ("10.0.0.2 never-", []),
    ("10.0.0.1 node-role.kubernetes.io/control-plane-", [("one", "node-role.kubernetes.io/control-plane:NoSchedule-")]),
    ("10.0.0.2 a:NoSchedule\n10.0.0.2 a:NoSchedule-\n", []),
    ("10.0.0.2 old-\n# and again\n10.0.0.2 old=1:NoExecute", [("two", "old=1:NoExecute")]),
    ("10.9.9.9 gpu:NoExecute", []),
]


@pytest.mark.parametrize(("data", "commands"), CHANGES)
def test_only_taints_that_differ_are_changed_by_one_command_a_node(
    stage: Stage, data: str, commands: list[tuple[str, ...]]
) -> None:
    fire(stage, data)
    assert tainted(stage) == [(*words, "--overwrite") for words in commands]
    assert stage.executor.changed == len(commands)
    assert list(stage.commands()) in ([], ["10.0.0.1"])


def test_only_hosts_of_the_operation_are_tainted_but_all_at_a_hook_point_of_the_leader() -> None:
    inventory = cluster(masters=("10.0.0.1",), nodes=("10.0.0.2",))
    joining = Stage(inventory=inventory, hosts=("10.0.0.2",))
    fire(joining, "10.0.0.1-10.0.0.2 a:NoSchedule", at=HookPoint.POST_JOIN)
    assert [words[0] for words in tainted(joining)] == ["two"]
    leader = Stage(inventory=inventory, hosts=("10.0.0.2",))
    fire(leader, "10.0.0.1-10.0.0.2 a:NoSchedule", at=HookPoint.POST_SCALEUP)
    assert [words[0] for words in tainted(leader)] == ["one", "two"]


def test_a_rehearsal_before_the_cluster_tells_every_taint() -> None:
    stage = Stage(inventory=cluster(masters=("10.0.0.1",), nodes=("10.0.0.2",)), rehearsal=True)
    stage.machines["10.0.0.1"].on("kubectl", exit_status=127, stderr="kubectl: not found")
    stage.fire(document(type_="TAINT", actions=("PreGuest",), data="10.0.0.2 a=b:NoExecute"), at=HookPoint.PRE_GUEST)
    assert [step.title for step in stage.executor.recorded] == ["taint node host-2 a=b:NoExecute"]


def test_a_host_that_is_no_node_is_an_error(stage: Stage) -> None:
    with pytest.raises(PluginFailedError) as caught:
        fire(stage, "10.0.0.2 a:NoSchedule", nodes="one\t10.0.0.1 \t\t\n")
    assert "host 10.0.0.2 is no node of the cluster" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "data is empty: write one 'IPs key=value:Effect' a line"),
        ("10.0.0.1", "data, line 1: '10.0.0.1' is not 'IPs key=value:Effect'"),
        ("10.0.0.1 a = b:NoSchedule", "data, line 1: '10.0.0.1 a = b:NoSchedule' is not 'IPs key=value:Effect'"),
        ("\nmaster a:NoSchedule", "data, line 2: 'master' is neither an IP address nor a range 'first-last'"),
        ("10.0.0.9-10.0.0.1 a:NoSchedule", "'10.0.0.9-10.0.0.1' is no range: write the lower address first"),
        ("10.0.0.1 a:NoSchedul", "is none of NoSchedule, PreferNoSchedule, NoExecute; did you mean 'NoSchedule'?"),
        ("10.0.0.1 a=b", "'a=b' has no effect: write :NoSchedule or :PreferNoSchedule or :NoExecute"),
        ("10.0.0.1 a=b=c:NoSchedule", "'a=b=c:NoSchedule' is no taint 'key=value:Effect'"),
        ("10.0.0.1 $(reboot):NoSchedule", "is no taint"),
    ],
)
def test_bad_data_is_refused_before_any_host_is_touched(stage: Stage, data: str, problem: str) -> None:
    with pytest.raises(PluginError) as caught:
        fire(stage, data)
    assert problem in caught.value.problems[0].message
    assert stage.commands() == {}
