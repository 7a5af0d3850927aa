"""Take the container engine of the image off the hosts."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Run, Steps

__all__ = ["UninstallContainerEngine"]

_UNINSTALL = 'if [ -f "$1" ]; then exec bash "$1"; fi'


class UninstallContainerEngine(Phase[Context]):
    """Uninstall the container engine."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def steps(self, ctx: Context, host: str) -> Steps:
        """Run `uninstall-containerd.sh` of the image where its rootfs is still there."""
        script = f"{ctx.rootfs}/scripts/uninstall-containerd.sh"
        yield Run("uninstall containerd", "sh", "-c", _UNINSTALL, "sh", script, env=ctx.env[host].items())
