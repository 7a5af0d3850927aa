"""What a wait says while it waits: the reason, so that nobody has to look for it on the machines."""

from __future__ import annotations

from typing import Any, cast

from sealpy.context import Context
from sealpy.errors import KubeError
from sealpy.kube import Kube, KubeDoor, Node
from sealpy.phases.wait_ready import WaitReady, WaitServing
from sealpy.sdk import Wait
from sealpy.testing.builders import a_context, walk


class _Kube:
    """Answer as a cluster does whose nodes and workloads are in this state."""

    def __init__(self, *nodes: Node, proxy: str = "", dns: str = "", waits: str = "") -> None:
        self._nodes, self._proxy, self._dns, self._waits = nodes, proxy, dns, waits

    def nodes(self) -> tuple[Node, ...]:
        return self._nodes

    def waits_on(self, _name: str) -> str:
        return self._waits

    def unready_daemon_set(self, _namespace: str, _name: str) -> str:
        return self._proxy

    def unready_deployment(self, _namespace: str, _name: str) -> str:
        return self._dns


class _Door:
    def __init__(self, kube: _Kube | KubeError) -> None:
        self._kube = kube

    def open(self) -> Kube:
        if isinstance(self._kube, KubeError):
            raise self._kube
        return cast("Kube", self._kube)


def a_node(**changes: Any) -> Node:
    return Node(**{"name": "n1", "address": "10.0.0.1", "labels": {}, "taints": (), "reason": "", **changes})


def seen(phase: WaitReady | WaitServing, kube: _Kube | KubeError) -> str:
    """Give what the wait of this phase says of the leader."""
    ctx: Context = a_context(kube=cast("KubeDoor", _Door(kube)))
    (step,), _ = walk(phase.steps(ctx, "10.0.0.1"))
    assert isinstance(step, Wait)
    assert step.probe
    return step.probe()


def test_a_node_is_waited_for_until_it_is_there_and_ready() -> None:
    assert seen(WaitReady(), _Kube()) == "not in the cluster yet"
    assert seen(WaitReady(), _Kube(a_node(reason="no network"))) == "n1: no network"
    assert seen(WaitReady(), _Kube(a_node())) == ""
    assert seen(WaitReady(), KubeError("the API server does not answer")) == "the API server does not answer"


def test_a_node_that_is_not_ready_tells_what_its_pods_wait_for() -> None:
    waits = "kube-flannel/flannel-x: failed to pull image"
    assert seen(WaitReady(), _Kube(a_node(reason="no network"), waits=waits)) == f"n1: no network; {waits}"
    assert seen(WaitReady(), _Kube(a_node(), waits=waits)) == ""


def test_the_system_is_waited_for_by_name() -> None:
    assert seen(WaitServing(), _Kube(a_node())) == ""
    assert seen(WaitServing(), _Kube(a_node(), proxy="ready on 0 of 1 nodes")) == "kube-proxy: ready on 0 of 1 nodes"
    assert seen(WaitServing(), KubeError("the API server does not answer")) == "the API server does not answer"


def test_a_node_that_is_short_of_something_is_named_while_the_system_does_not_serve() -> None:
    full = a_node(short_of=("kubelet has disk pressure",))
    lacking = "0 of 2 pods available: 0/1 nodes are available"
    assert seen(WaitServing(), _Kube(full, dns=lacking)) == f"CoreDNS: {lacking}; n1: kubelet has disk pressure"
    assert seen(WaitServing(), _Kube(full)) == ""
