"""Wait until every node is ready, and until services and names work."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import KubeError
from sealpy.kube import Kube, Node
from sealpy.sdk import Steps, Wait

__all__ = ["WaitReady", "WaitServing"]

_TIMEOUT = 300.0
_PAUSE = 0.5


class WaitReady(Phase[Context]):
    """Wait until the nodes are ready."""

    at_once = 256  # waiting costs nothing: all hosts look at one answer

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = -_PAUSE
        self._nodes: Mapping[str, Node] = {}
        self._why: Mapping[str, str] = {}

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts that are to be nodes."""
        return (*ctx.inventory.masters, *ctx.inventory.workers)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Look at the nodes until this one is there and ready."""
        yield Wait("node is ready", probe=lambda: self._unready(ctx, host), timeout=_TIMEOUT, pause=_PAUSE)

    def _unready(self, ctx: Context, host: str) -> str:
        """Say why this host is no ready node; empty when it is."""
        with self._lock:
            if time.monotonic() - self._looked >= _PAUSE:
                try:
                    self._look(ctx.kube.open())
                except KubeError as error:  # an API server that restarts is one more thing to wait for
                    return error.message
                self._looked = time.monotonic()
            node, why = self._nodes.get(host), self._why.get(host, "")
        if not node:
            return "not in the cluster yet"
        return "; ".join(text for text in (f"{node.name}: {node.reason}", why) if text) if node.reason else ""

    def _look(self, kube: Kube) -> None:
        """List the nodes, and what one that is not ready waits for: the others most likely wait for the same."""
        self._nodes = {node.address: node for node in kube.nodes()}
        unready = next((node for node in self._nodes.values() if node.reason), None)
        self._why = {unready.address: kube.waits_on(unready.name)} if unready else {}


class WaitServing(Phase[Context]):
    """Wait until the system serves."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader, which knows."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Look at kube-proxy and CoreDNS, which every application stands on; a cluster without either has its own."""
        del host
        yield Wait("kube-proxy and CoreDNS serve", probe=lambda: _unready_system(ctx), timeout=_TIMEOUT, pause=_PAUSE)


def _unready_system(ctx: Context) -> str:
    try:
        kube = ctx.kube.open()
        found = {
            "kube-proxy": kube.unready_daemon_set("kube-system", "kube-proxy"),
            "CoreDNS": kube.unready_deployment("kube-system", "coredns"),
        }
        unready = [f"{name}: {reason}" for name, reason in found.items() if reason]
        if unready:
            unready += [f"{node.name}: {short}" for node in kube.nodes() for short in node.short_of]
    except KubeError as error:
        return error.message
    return "; ".join(unready)
