"""CLUSTERCHECK: what the API server tells → go on, or refuse with what was seen."""

from __future__ import annotations

import pytest

from sealpy.errors import PluginError, PluginFailedError
from sealpy.events import PluginOutput
from sealpy.sdk import HookPoint, Result
from sealpy.testing.stage import Stage, document

ASK = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "--request-timeout=20s")
READY = "Ready|True|KubeletReady"
ONE, TWO = f"one\t10.0.0.1 one \tDiskPressure|False|ok\t{READY}\n", f"two\t10.0.0.2 two \t{READY}\n"
POD = "dns-1\tRunning\t<no value>\t\tdns|true|\n"


def healthy(stage: Stage, *, nodes: str = ONE + TWO, pods: str = POD) -> None:
    leader = stage.machines["10.0.0.1"]
    leader.on(*ASK, "get", "nodes", stdout=nodes)
    leader.on(*ASK, "-n", "kube-system", "get", "pods", stdout=pods)


def fire(stage: Stage, at: HookPoint = HookPoint.PRE_GUEST, data: str = "") -> None:
    stage.fire(document("check", type_="CLUSTERCHECK", actions=(at,), data=data, timeout=30.0), at=at)


def refused(stage: Stage, at: HookPoint = HookPoint.PRE_GUEST) -> str:
    with pytest.raises(PluginFailedError) as caught:
        fire(stage, at)
    assert "plugin 'check' (CLUSTERCHECK) failed at " in caught.value.message
    (problem,) = caught.value.problems
    return problem.message


def test_a_healthy_cluster_is_looked_at_once_and_nothing_is_changed(stage: Stage) -> None:
    healthy(stage)
    fire(stage)
    assert len(stage.machines["10.0.0.1"].commands) == 3
    assert stage.executor.changed == 0


# nodes, pods → what is seen
SICK = [
    (ONE + "two\t10.0.0.2 \tReady|False|KubeletNotReady\n", POD, "node two is not ready: KubeletNotReady"),
    (ONE + "two\t10.0.0.2 \n", POD, "node two is not ready: it has never reported"),
    (ONE + TWO.replace("\n", "\tDiskPressure|True|full\n"), POD, "node two: DiskPressure"),
    (ONE, POD, "host 10.0.0.2 is no node"),
    (ONE + TWO, POD.replace("true", "false"), "pod dns-1: Running (dns not ready)"),
    (ONE + TWO, "a\tRunning\t\t\ta|false|CrashLoopBackOff\n", "pod a: Running (a CrashLoopBackOff)"),
    (ONE + TWO, "a\tPending\t<no value>\tUnschedulable\n", "pod a: Pending (Unschedulable)"),
    (ONE + TWO, "a\tFailed\tOutOfcpu\t\n", "pod a: Failed"),
]


@pytest.mark.parametrize(("nodes", "pods", "seen"), SICK)
def test_a_sick_cluster_is_refused_with_what_was_seen(stage: Stage, nodes: str, pods: str, seen: str) -> None:
    healthy(stage, nodes=nodes, pods=pods)
    told = refused(stage)
    assert told.startswith("the cluster is not healthy after ")
    assert told.endswith(f"s:\n  {seen}")


@pytest.mark.parametrize("pods", ["job\tSucceeded\t\t\tjob|false|Completed\n", "old\tFailed\tEvicted\t\n"])
def test_a_pod_that_has_done_its_work_or_was_evicted_is_no_sickness(stage: Stage, pods: str) -> None:
    healthy(stage, pods=POD + pods)
    fire(stage)


def test_the_failing_checks_of_the_api_server_are_named(stage: Stage) -> None:
    verbose = "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed"
    stage.machines["10.0.0.1"].on(*ASK, "get", "--raw", exit_status=1, stdout=verbose)
    assert refused(stage).endswith("API server: [-]etcd failed: reason withheld")


def test_an_api_server_that_does_not_answer_is_named(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", exit_status=1, stderr="connection refused")
    assert refused(stage).endswith("the API server does not answer: connection refused")


def test_a_cluster_that_becomes_healthy_lets_the_run_go_on_and_what_was_seen_is_told_once(stage: Stage) -> None:
    healthy(stage)
    sick = Result(stdout=POD.replace("true", "false").encode())
    stage.machines["10.0.0.1"].on(
        *ASK, "-n", "kube-system", "get", "pods", answers=[sick, sick, Result(stdout=POD.encode())]
    )
    fire(stage)
    assert [event.line for event in stage.of(PluginOutput)] == ["not yet healthy: pod dns-1: Running (dns not ready)"]
    assert stage.machines["10.0.0.1"].commands.count(("sleep", "3")) == 2


def test_hosts_that_are_only_going_to_join_need_not_be_nodes(stage: Stage) -> None:
    healthy(stage, nodes=ONE)
    fire(stage, HookPoint.PRE_JOIN)
    assert "host 10.0.0.2 is no node" in refused(stage, HookPoint.POST_JOIN)


def test_a_rehearsal_looks_once_and_refuses_nothing() -> None:
    stage = Stage(rehearsal=True)
    stage.machines["10.0.0.1"].on("kubectl", exit_status=127)
    fire(stage)
    assert len(stage.machines["10.0.0.1"].commands) == 1


def test_it_takes_no_data(stage: Stage) -> None:
    with pytest.raises(PluginError) as caught:
        fire(stage, data="30s")
    assert "it takes no data" in caught.value.problems[0].message
