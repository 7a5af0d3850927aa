"""Wait until every node is ready, and until services and names work."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import KubeError
from sealpy.sdk import Steps, Wait

__all__ = ["WaitReady", "WaitServing"]

_TIMEOUT = 300.0


class WaitReady(Phase[Context]):
    """Wait until the nodes are ready."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader, which knows."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Look at the nodes until all hosts are there and ready."""
        del host
        yield Wait("every node is ready", probe=lambda: unready_nodes(ctx), timeout=_TIMEOUT, pause=0.5)


class WaitServing(Phase[Context]):
    """Wait until the system serves."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader, which knows."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Look at kube-proxy and CoreDNS, which every application stands on; a cluster without either has its own."""
        del host
        yield Wait("kube-proxy and CoreDNS serve", probe=lambda: _unready_system(ctx), timeout=_TIMEOUT, pause=0.5)


def unready_nodes(ctx: Context) -> str:
    """Say why not every host is a ready node; empty when it is so."""
    try:
        nodes = {node.address: node for node in ctx.kube.open().nodes()}
    except KubeError as error:  # an API server that restarts is one more thing to wait for
        return error.message
    for host in (*ctx.inventory.masters, *ctx.inventory.workers):
        if host not in nodes:
            return f"{host}: not in the cluster yet"
        if reason := nodes[host].reason:
            return f"{nodes[host].name} ({host}): {reason}"
    return ""


def _unready_system(ctx: Context) -> str:
    try:
        kube = ctx.kube.open()
        found = {
            "kube-proxy": kube.unready_daemon_set("kube-system", "kube-proxy"),
            "CoreDNS": kube.unready_deployment("kube-system", "coredns"),
        }
    except KubeError as error:
        return error.message
    return "; ".join(f"{name}: {reason}" for name, reason in found.items() if reason)
