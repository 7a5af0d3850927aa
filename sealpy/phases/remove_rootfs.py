"""Take the files of the cluster off the hosts; the last thing that knows how to undo the rest goes last."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.phases.connect import LOCK
from sealpy.phases.write_hosts import forget_hosts
from sealpy.sdk import Run, Steps

__all__ = ["RemoveRootfs"]

# $1 <dataRoot>/<cluster>. The parents go only when they are empty, and no disk of their own: others may live beside.
# $2 the lock of the cluster, which this very run holds.
_REMOVE = """rm -rf -- "$1" || exit
rm -f -- "$2"
rmdir -- "$(dirname "$2")" 2>/dev/null
rmdir -p -- "$(dirname "$1")" 2>/dev/null || true
"""


class RemoveRootfs(Phase[Context]):
    """Remove the files of the cluster."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def steps(self, ctx: Context, host: str) -> Steps:
        """Clean /etc/hosts and remove the directory of the cluster."""
        del host
        yield forget_hosts()
        yield Run(
            f"remove {ctx.directory}", "sh", "-c", _REMOVE, "sh", ctx.directory, LOCK.format(ctx.name), timeout=300
        )
