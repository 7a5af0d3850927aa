"""What stops an upgrade before its first change, and what is only told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from sealpy.context import Context
from sealpy.errors import PreflightError
from sealpy.events import Event, Warned
from sealpy.kube import Node
from sealpy.phases.check_upgrade import CheckUpgrade
from sealpy.phases.upgrade_kubernetes import CORDONED, UNFINISHED
from sealpy.sdk import Wait
from sealpy.testing.builders import a_context, good_facts, walk

MASTER, WORKER = "10.0.0.1", "10.0.0.2"


@dataclass
class Api:
    """The API of a cluster that has these nodes."""

    found: tuple[Node, ...]

    def open(self) -> Api:
        return self

    def nodes(self) -> tuple[Node, ...]:
        return self.found


@dataclass
class Told:
    events: list[Event] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Warned)]


def node(address: str, *, reason: str = "", short_of: tuple[str, ...] = ()) -> Node:
    return Node(
        name=f"n{address[-1]}",
        address=address,
        labels={},
        taints=(),
        reason=reason,
        short_of=short_of,
        version="v1.34.4",
    )


def living(*nodes: Node, marks: dict[str, str] | None = None, **facts: Any) -> tuple[Context, Told]:
    told = Told()
    ctx = a_context(kube=Api(nodes), emit=told.events.append)
    for name, host in (("a", MASTER), ("b", WORKER)):
        own = {"node": "x", **(marks or {})} if host == WORKER else {"node": "x"}
        ctx.facts[host] = good_facts(name, marks=own, kube_ca="one", **facts)
    return ctx, told


def problems(ctx: Context) -> dict[str, list[str]]:
    with pytest.raises(PreflightError) as refused:
        walk(CheckUpgrade().steps(ctx, MASTER))
    return {host: [problem.message for problem in found] for host, found in refused.value.problems.items()}


def test_where_all_is_well_only_etcd_is_waited_for() -> None:
    ctx, told = living(node(MASTER), node(WORKER))
    (step,), _ = walk(CheckUpgrade().steps(ctx, MASTER))
    assert isinstance(step, Wait)
    assert (step.title, told.warnings) == ("etcd is healthy", [])


def test_every_node_that_is_not_ready_and_every_full_disk_is_told_at_once() -> None:
    ctx, _ = living(node(MASTER), node(WORKER, reason="no network"), free_kib={"/var/lib": 512 << 10})
    assert problems(ctx) == {
        MASTER: ["512 MiB free on /var/lib, 1024 are needed"],
        WORKER: ["node n2 is not ready: no network", "512 MiB free on /var/lib, 1024 are needed"],
    }


def test_a_node_that_is_short_of_something_is_told_though_it_is_ready() -> None:
    ctx, _ = living(node(MASTER), node(WORKER, short_of=("kubelet has disk pressure",)))
    assert problems(ctx) == {WORKER: ["node n2: kubelet has disk pressure"]}


@pytest.mark.parametrize("marks", [{"node": UNFINISHED}, {CORDONED: "by sealpy"}])
def test_a_node_on_which_an_upgrade_was_cut_need_not_be_ready(marks: dict[str, str]) -> None:
    ctx, _ = living(node(MASTER), node(WORKER, reason="Kubelet stopped posting node status."), marks=marks)
    walk(CheckUpgrade().steps(ctx, MASTER))


def test_a_node_of_somebody_else_is_told_and_left_alone() -> None:
    ctx, told = living(node(MASTER), node(WORKER), node("10.0.0.9", reason="off"))
    walk(CheckUpgrade().steps(ctx, MASTER))
    assert told.warnings == ["node n9 (10.0.0.9) is not in the Clusterfile: it stays as it is"]


def test_a_host_that_has_the_files_already_needs_no_room_for_them() -> None:
    ctx, _ = living(node(MASTER), node(WORKER), free_kib={"/var/lib": 1})
    for host in (MASTER, WORKER):
        facts = ctx.facts[host]
        marks = {**facts.marks, "rootfs": ctx.tree(host).digest}
        ctx.facts[host] = good_facts(facts.name, marks=marks, kube_ca="one", free_kib=facts.free_kib)
    walk(CheckUpgrade().steps(ctx, MASTER))
