"""Join every worker that is not yet a node."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Steps

__all__ = ["JoinWorkers"]


class JoinWorkers(Phase[Context]):
    """Join the workers."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the workers that are no nodes yet."""
        return tuple(host for host in ctx.inventory.workers if not ctx.is_node(host))

    def steps(self, ctx: Context, host: str) -> Steps:
        """Join, and note that it is done."""
        if ctx.ticket is None:
            raise LookupError("joining needs a ticket: IssueTicket comes before")
        yield from ctx.runtime.join_worker(host, ctx.ticket)
        yield ctx.mark("node", ctx.kubernetes)
