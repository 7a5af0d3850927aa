"""Make the first control plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.runtimes import JoinTicket
from sealpy.sdk import Steps

__all__ = ["InitControlPlane"]


class InitControlPlane(Phase[Context]):
    """Make the first control plane."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def skip(self, ctx: Context) -> str:
        """Leave a living control plane alone."""
        return "the leader is a control plane already" if ctx.is_node(ctx.inventory.leader) else ""

    def steps(self, ctx: Context, host: str) -> Steps:
        """Initialise, and note that it is done."""
        ticket = yield from ctx.runtime.init(host)
        yield ctx.mark("node", ctx.kubernetes)
        return ticket

    def finish(self, ctx: Context, values: Mapping[str, object]) -> None:
        """Keep the ticket for those who join."""
        ctx.ticket = next((value for value in values.values() if isinstance(value, JoinTicket)), None)
