"""Let a living cluster take changed settings of Kubernetes over, where it can."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Steps

__all__ = ["PublishSettings", "ReconfigureControlPlanes", "ReconfigureNodes", "reconfigure"]

_SAME = "the settings are as they were"


class ReconfigureControlPlanes(Phase[Context]):
    """Reconfigure the control planes, one by one: the API must not go away."""

    at_once = 1

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern those that run already; new ones are born with the settings."""
        return tuple(host for host in ctx.inventory.masters if ctx.is_node(host))

    def skip(self, ctx: Context) -> str:
        """Say so when none of their parts is concerned."""
        return "" if ctx.change and ctx.change.control_plane else _SAME

    def steps(self, ctx: Context, host: str) -> Steps:
        """Ask the runtime."""
        yield from ctx.runtime.reconfigure_control_plane(host, ctx.change)


class PublishSettings(Phase[Context]):
    """Publish the settings in the cluster."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def skip(self, ctx: Context) -> str:
        """Say so when nothing has changed."""
        return "" if ctx.change and ctx.change.paths else _SAME

    def steps(self, ctx: Context, host: str) -> Steps:
        """Ask the runtime."""
        yield from ctx.runtime.publish(host, ctx.change)


class ReconfigureNodes(Phase[Context]):
    """Reconfigure the nodes."""

    at_once = 4  # a kubelet that begins anew loads the API server

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern those that run already."""
        return tuple(host for host in (*ctx.inventory.masters, *ctx.inventory.workers) if ctx.is_node(host))

    def skip(self, ctx: Context) -> str:
        """Say so when the kubelet is not concerned."""
        return "" if ctx.change and ctx.change.kubelet else _SAME

    def steps(self, ctx: Context, host: str) -> Steps:
        """Ask the runtime."""
        yield from ctx.runtime.reconfigure_node(host, ctx.change)


def reconfigure() -> Sequence[Phase[Context]]:
    """List the phases by which a living cluster takes changed settings over, before anybody joins by them."""
    return [ReconfigureControlPlanes(), PublishSettings(), ReconfigureNodes()]
