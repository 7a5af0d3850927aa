"""Wait until every node is ready, and until services and names work."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import KubeError
from sealpy.kube import Node
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
                    self._nodes = {node.address: node for node in ctx.kube.open().nodes()}
                except KubeError as error:  # an API server that restarts is one more thing to wait for
                    return error.message
                self._looked = time.monotonic()
            node = self._nodes.get(host)
        return f"{node.name}: {node.reason}" if node and node.reason else "" if node else "not in the cluster yet"


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
