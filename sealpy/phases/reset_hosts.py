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
        """Forget first what was done, so that neither a delete nor an apply after a cut trusts it."""
        yield ctx.unmark()
        yield from ctx.runtime.reset(host)
