"""Install the pod network, without which no node becomes ready."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.phases.launch_apps import launch_once, network_apps
from sealpy.sdk import Steps

__all__ = ["InstallNetwork"]


class InstallNetwork(Phase[Context]):
    """Install the pod network.

    Apps that the Kubefile names with CNI are launched here, before the wait for ready nodes, whatever LAUNCH says.
    """

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def skip(self, ctx: Context) -> str:
        """Leave it to the apps of an image that names no network."""
        return "" if network_apps(ctx) else "the image names no network (CNI); its apps bring one"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Launch the network's apps once for each image."""
        yield from launch_once(ctx, host, ctx.image.metadata.launch_commands(network_apps(ctx)))
