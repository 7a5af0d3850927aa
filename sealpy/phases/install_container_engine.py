"""Install the container engine that the image brings."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.sdk import Run, Steps

__all__ = ["InstallContainerEngine"]


class InstallContainerEngine(Phase[Context]):
    """Install the container engine."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host."""
        return ctx.inventory.addresses

    def steps(self, ctx: Context, host: str) -> Steps:
        """Run `containerd.sh` of the image (sealer.md §5.2) where it has not run for this image and environment."""
        digest = digest_of(ctx.tree(host).digest, sorted(ctx.env[host].items()))
        facts = ctx.facts[host]
        if facts.marked("container-engine", digest) and "containerd" in facts.active:
            return
        script = f"{ctx.rootfs}/scripts/containerd.sh"
        yield Run("install containerd", "bash", script, env=ctx.env[host].items())
        yield ctx.mark("container-engine", digest)
