"""Preflight as a phase: what it makes of image, cluster and facts, and how it ends."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sealpy.context import Context
from sealpy.engine import Connections, Executor, Journal
from sealpy.errors import ConfigError, PreflightError
from sealpy.events import Event, PhaseFinished, Warned
from sealpy.phases.preflight import Preflight, needs_of
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.testing.builders import a_context, good_facts
from sealpy.testing.connector import FakeConnector


def performed(ctx: Context, **how: Any) -> list[Event]:
    """Perform the phase and give its events; what it raises is raised."""
    events: list[Event] = []
    executor = Executor(Connections(FakeConnector), emit=events.append, journal=Journal(None, run="r", action="apply"))
    Preflight(**how).perform(ctx, executor)
    return events


def refused(ctx: Context) -> dict[str, list[str]]:
    with pytest.raises(PreflightError) as caught:
        performed(ctx)
    return {host: [problem.message for problem in problems] for host, problems in caught.value.problems.items()}


def test_good_machines_pass_without_a_word() -> None:
    events = performed(a_context())
    assert [event for event in events if isinstance(event, Warned)] == []
    assert [event.failed for event in events if isinstance(event, PhaseFinished)] == [()]


def test_every_problem_of_every_host_is_told_at_once_with_the_id_to_leave_it_out() -> None:
    ctx = a_context()
    ctx.facts["10.0.0.1"] = good_facts("a", cpus=1, ports=frozenset({6443}))
    ctx.facts["10.0.0.2"] = good_facts("b", arch="aarch64")
    assert refused(ctx) == {
        "10.0.0.1": ["1 cpu, a control plane needs 2 [cpu]", "port 6443 is in use [ports]"],
        "10.0.0.2": ["processor is aarch64, the image is for amd64 [arch]"],
    }


def test_what_the_operator_leaves_out_is_not_looked_at() -> None:
    ctx = a_context(skip=frozenset({"cpu", "ports"}))
    ctx.facts["10.0.0.1"] = good_facts("a", cpus=1, ports=frozenset({6443}))
    performed(ctx)


def test_a_warning_is_told_and_stops_nothing() -> None:
    ctx = a_context()
    ctx.facts["10.0.0.2"] = good_facts("b", swap_kib=1 << 20)
    (warning,) = [event for event in performed(ctx) if isinstance(event, Warned)]
    assert (warning.host, warning.message) == ("10.0.0.2", "1024 MiB swap is on [swap]")
    assert warning.hint.startswith("swapoff -a")


def test_names_that_a_plugin_gives_are_not_compared() -> None:
    ctx = a_context()
    ctx.facts["10.0.0.2"] = good_facts("host-10.0.0.1", machine_id="x", macs=("y",))
    assert list(refused(ctx)) == ["10.0.0.1", "10.0.0.2"]
    performed(ctx, renames=True)


def test_a_node_of_another_cluster_of_the_same_name_is_refused() -> None:
    ctx = a_context()
    ctx.facts["10.0.0.1"] = good_facts("a", marks={"node": "init"}, kube_ca="one")
    ctx.facts["10.0.0.2"] = good_facts("b", marks={"node": "worker"}, kube_ca="two")
    assert refused(ctx) == {"10.0.0.2": ["is a node of another cluster of this name [another-cluster]"]}


def test_the_ranges_are_those_that_kubeadm_will_be_given() -> None:
    ctx = a_context()
    networking = {"podSubnet": "100.64.0.0/16,fd01::/48", "serviceSubnet": "10.96.0.0/16"}
    plan = ctx.runtime.plan if isinstance(ctx.runtime, Kubeadm) else None
    assert plan
    ctx.runtime = Kubeadm(dataclasses.replace(plan, documents={"ClusterConfiguration": {"networking": networking}}))
    needs = needs_of(ctx)
    assert (needs.pods, needs.services) == (("100.64.0.0/16", "fd01::/48"), ("10.96.0.0/16",))
    assert (needs.platform, needs.leader, needs.registry_hosts) == ("amd64", "10.0.0.1", ("10.0.0.1",))


def test_the_ports_of_etcd_are_needed_only_where_it_runs_on_the_control_planes() -> None:
    ctx = a_context()
    ctx.facts["10.0.0.1"] = good_facts("a", ports=frozenset({2379, 2381}))
    assert refused(ctx) == {"10.0.0.1": ["port 2379 is in use [ports]", "port 2381 is in use [ports]"]}
    plan = ctx.runtime.plan if isinstance(ctx.runtime, Kubeadm) else None
    assert plan
    etcd = {"external": {"endpoints": ["https://10.0.9.1:2379"]}}
    ctx.runtime = Kubeadm(dataclasses.replace(plan, overrides={"ClusterConfiguration": {"etcd": etcd}}))
    performed(ctx)


@pytest.mark.parametrize(
    ("kubelet", "kept"),
    [
        ({}, {"nodefs.available": "10%", "imagefs.available": "15%"}),
        ({"evictionHard": {"nodefs.available": "1Gi"}}, {"nodefs.available": "1Gi"}),
        ({"evictionHard": {"nodefs.available": 1 << 30}}, {"nodefs.available": str(1 << 30)}),
        (
            {"evictionHard": {"nodefs.available": "1Gi"}, "mergeDefaultEvictionSettings": True},
            {"nodefs.available": "1Gi", "imagefs.available": "15%"},
        ),
    ],
)
def test_what_the_kubelet_keeps_free_is_what_it_will_be_told(kubelet: dict[str, Any], kept: dict[str, str]) -> None:
    ctx = a_context()
    plan = ctx.runtime.plan if isinstance(ctx.runtime, Kubeadm) else None
    assert plan
    ctx.runtime = Kubeadm(dataclasses.replace(plan, documents={"KubeletConfiguration": kubelet}))
    assert needs_of(ctx).kept_free == kept


def test_a_range_that_is_none_is_refused() -> None:
    ctx = a_context()
    plan = ctx.runtime.plan if isinstance(ctx.runtime, Kubeadm) else None
    assert plan
    ctx.runtime = Kubeadm(
        dataclasses.replace(plan, documents={"ClusterConfiguration": {"networking": {"podSubnet": "10.0.0.0/40"}}})
    )
    with pytest.raises(ConfigError, match=r"networking\.podSubnet: '10\.0\.0\.0/40' is no range of addresses"):
        needs_of(ctx)
