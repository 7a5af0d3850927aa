"""Take Kubernetes off the hosts."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Steps

__all__ = ["ResetHosts"]


class ResetHosts(Phase[Context]):
    """Take Kubernetes off the hosts."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def steps(self, ctx: Context, host: str) -> Steps:
        """Forget first that it is a node, so that a cut reset is done again."""
        yield ctx.unmark("created")
        yield ctx.unmark("node")
        yield from ctx.runtime.reset(host)
