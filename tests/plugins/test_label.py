"""LABEL: data and the labels the nodes have → commands."""

from __future__ import annotations

import pytest

from sealpy.errors import PluginError, PluginFailedError
from sealpy.sdk import HookPoint
from sealpy.testing.stage import Stage, cluster, document

KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
NODES = "one\t10.0.0.1 one \tssd=true kubernetes.io/os=linux \t\ntwo\t10.0.0.2 two \tssd=true \t\n"
DATA = "10.0.0.1 ssd=true\n10.0.0.2 ssd=false,example.com/zone=,hdd=true\n"


def fire(stage: Stage, data: str = DATA, at: HookPoint = HookPoint.PRE_GUEST, nodes: str = NODES) -> None:
    stage.machines["10.0.0.1"].on(*KUBECTL, "get", "nodes", stdout=nodes)
    stage.fire(document(type_="LABEL", actions=(at,), data=data), at=at)


def labelled(stage: Stage) -> list[tuple[str, ...]]:
    """Give what follows `kubectl label node`, each time."""
    return [command[5:] for command in stage.machines["10.0.0.1"].commands if command[3] == "label"]


def test_only_labels_that_differ_are_set_by_one_command_a_node_on_the_leader(stage: Stage) -> None:
    fire(stage)
    assert labelled(stage) == [("two", "ssd=false", "example.com/zone=", "hdd=true", "--overwrite")]
    assert list(stage.commands()) == ["10.0.0.1"]


def test_the_second_time_nothing_is_changed_and_one_question_asked(stage: Stage) -> None:
    fire(stage, nodes="one\t10.0.0.1 \tssd=true \t\ntwo\t10.0.0.2 \tssd=false example.com/zone= hdd=true \t\n")
    assert len(stage.commands()["10.0.0.1"]) == 1
    assert stage.executor.changed == 0


def test_only_hosts_of_the_operation_are_labelled() -> None:
    stage = Stage(inventory=cluster(masters=("10.0.0.1",), nodes=("10.0.0.2", "10.0.0.3")), hosts=("10.0.0.3",))
    fire(stage, f"{DATA}10.0.0.3 new=yes\n", nodes=f"{NODES}three\t10.0.0.3 \t\t\n", at=HookPoint.POST_JOIN)
    assert labelled(stage) == [("three", "new=yes", "--overwrite")]


def test_at_a_hook_point_of_the_leader_all_hosts_are_labelled(stage: Stage) -> None:
    fire(stage, at=HookPoint.POST_INSTALL_CLUSTER)
    assert [words[0] for words in labelled(stage)] == ["two"]


def test_lines_about_other_hosts_ask_nothing(stage: Stage) -> None:
    fire(stage, "10.9.9.9 a=b\n")
    assert stage.commands() == {}


def test_a_rehearsal_before_the_cluster_tells_every_label() -> None:
    stage = Stage(inventory=cluster(masters=("10.0.0.1",), nodes=("10.0.0.2",)), rehearsal=True)
    stage.machines["10.0.0.1"].on("kubectl", exit_status=127, stderr="kubectl: not found")
    stage.fire(document(type_="LABEL", actions=("PreGuest",), data=DATA), at=HookPoint.PRE_GUEST)
    assert [step.title for step in stage.executor.recorded] == [
        "label node host-1 ssd=true",
        "label node host-2 ssd=false example.com/zone= hdd=true",
    ]


@pytest.mark.parametrize(
    ("nodes", "exit_status", "problem"),
    [("", 0, "host 10.0.0.1 is no node of the cluster"), ("", 1, "the API server does not tell its nodes: refused")],
)
def test_what_cannot_be_labelled_is_an_error(stage: Stage, nodes: str, exit_status: int, problem: str) -> None:
    stage.machines["10.0.0.1"].on("kubectl", stdout=nodes, stderr="refused", exit_status=exit_status)
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(type_="LABEL", actions=("PreGuest",), data=DATA), at=HookPoint.PRE_GUEST)
    assert problem in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "data is empty: write one 'IP key=value,key=value' a line"),
        ("10.0.0.1", "data, line 1: '10.0.0.1' is not 'IP key=value,key=value'"),
        ("ssd=true 10.0.0.1", "data, line 1: 'ssd=true' is no IP address"),
        ("10.0.0.1 ssd", "data, line 1: 'ssd' is no label 'key=value'"),
        ("10.0.0.1 a=b,,c=d", "data, line 1: '' is no label"),
        ("10.0.0.1 -a=b", "'-a=b' is no label"),
        (f"10.0.0.1 a={'b' * 64}", "is no label"),
        ("10.0.0.1 a=b;reboot", "'a=b;reboot' is no label"),
    ],
)
def test_bad_data_is_refused_before_any_host_is_touched(stage: Stage, data: str, problem: str) -> None:
    with pytest.raises(PluginError) as caught:
        fire(stage, data)
    assert problem in caught.value.problems[0].message
    assert stage.commands() == {}
