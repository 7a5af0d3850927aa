"""Get a ticket for joining from a control plane that was there before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.runtimes import JoinTicket
from sealpy.sdk import Steps

__all__ = ["IssueTicket"]


class IssueTicket(Phase[Context]):
    """Issue a ticket for joining."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def skip(self, ctx: Context) -> str:
        """Issue none when nobody joins, or when the control plane was born in this run."""
        if ctx.ticket is not None:
            return "the new control plane issued one"
        joining = any(not ctx.is_node(host) for host in (*ctx.inventory.masters, *ctx.inventory.workers))
        return "" if joining else "nobody joins"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Ask the runtime."""
        return (yield from ctx.runtime.issue_ticket(host))

    def finish(self, ctx: Context, values: Mapping[str, object]) -> None:
        """Keep the ticket for those who join."""
        ctx.ticket = next((value for value in values.values() if isinstance(value, JoinTicket)), None)
