"""Join the other control planes, one by one: etcd takes one new member at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.phases.write_hosts import hosts_file
from sealpy.sdk import Steps

__all__ = ["JoinControlPlanes"]


class JoinControlPlanes(Phase[Context]):
    """Join the other control planes."""

    at_once = 1

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the control planes that are no nodes yet, but the leader."""
        others = (host for host in ctx.inventory.masters if host != ctx.inventory.leader)
        return tuple(host for host in others if not ctx.is_node(host))

    def steps(self, ctx: Context, host: str) -> Steps:
        """Join by the leader's API server; from then on the host is its own."""
        if ctx.ticket is None:
            raise LookupError("joining needs a ticket: IssueTicket comes before")
        yield from ctx.runtime.join_control_plane(host, ctx.ticket)
        yield hosts_file(ctx, host, host)
        yield ctx.mark("node", ctx.kubernetes)
