"""Install the pod network, without which no node becomes ready."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.phases.launch_apps import launch, network_apps
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
        apps = network_apps(ctx)
        digest = digest_of(apps, ctx.tree(host).digest)
        if ctx.facts[host].marked("network", digest):
            return
        for command in ctx.image.metadata.launch_commands(apps):
            yield launch(ctx, host, command)
        yield ctx.mark("network", digest)
