"""Let the cluster forget hosts: their members of etcd, and their nodes."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Call, Steps

__all__ = ["ForgetControlPlanes", "RemoveNodes"]


class ForgetControlPlanes(Phase[Context]):
    """Remove the members of etcd.

    One by one, and before the hosts are reset: etcd itself refuses what would leave it without a quorum.
    """

    at_once = 1

    def __init__(self, hosts: Sequence[str]) -> None:
        """Take the control planes that leave."""
        self._hosts = hosts

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern them."""
        del ctx
        return self._hosts

    def steps(self, ctx: Context, host: str) -> Steps:
        """Ask the runtime."""
        yield from ctx.runtime.forget(host)


class RemoveNodes(Phase[Context]):
    """Remove the nodes."""

    def __init__(self, hosts: Sequence[str]) -> None:
        """Take the hosts that leave."""
        self._hosts = hosts

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern them."""
        del ctx
        return self._hosts

    def steps(self, ctx: Context, host: str) -> Steps:
        """Remove the node object where it is still there."""
        for node in ctx.kube.open().nodes():
            if node.address == host:
                remove = functools.partial(ctx.kube.open().delete_node, node.name)
                yield Call(f"remove node {node.name}", remove)
