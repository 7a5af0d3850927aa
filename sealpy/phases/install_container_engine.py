"""Install the container engine that the image brings."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.phases.wait_ready import WaitReady
from sealpy.sdk import Run, Steps

__all__ = ["InstallContainerEngine", "RenewContainerEngine"]


class InstallContainerEngine(Phase[Context]):
    """Install the container engine."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host."""
        return ctx.inventory.addresses

    def steps(self, ctx: Context, host: str) -> Steps:
        """Run `containerd.sh` of the image (sealer.md §5.2) where it has not run for this image and environment.

        Returns whether it ran.
        """
        digest = digest_of(ctx.tree(host).digest, sorted(ctx.env[host].items()))
        facts = ctx.facts[host]
        if facts.marked("container-engine", digest) and "containerd" in facts.active:
            return False
        script = f"{ctx.rootfs}/scripts/containerd.sh"
        yield Run("install containerd", "bash", script, env=ctx.env[host].items())
        yield ctx.mark("container-engine", digest)
        return True


class RenewContainerEngine(InstallContainerEngine):
    """Renew the container engine.

    One host after the other, and no further one before the last is a ready node again. Nodes that are upgraded get it
    while they are drained.
    """

    at_once = 1

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts whose Kubernetes stays as it is."""
        return tuple(host for host in ctx.inventory.addresses if not ctx.is_behind(host))

    def steps(self, ctx: Context, host: str) -> Steps:
        """Install it where it has not been for this image, and wait for the node."""
        if (yield from super().steps(ctx, host)) and ctx.is_node(host):
            yield from WaitReady().steps(ctx, host)
