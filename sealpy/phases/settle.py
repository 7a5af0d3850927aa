"""Note on the hosts that nothing is left to do there for this image."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Executor, Phase
from sealpy.sdk import Steps

__all__ = ["Settle", "settling"]


def settling(ctx: Context, host: str) -> str:
    """Give what the journal knows it by that no plugin is left to fire for a host and this image."""
    return f"settling {host} {ctx.facts[host].machine_id} {ctx.image.digest}"


class Settle(Phase[Context]):
    """Note that the hosts are settled.

    New ones, and those that have come to another image. After the last plugin: a run that was cut before it goes on
    with the same hosts, and fires what is left. One that is cut between two of these marks must fire nothing again, so
    the journal knows that it has begun with them.
    """

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Note in the journal that no plugin is left to fire for these hosts, then mark them."""
        for host in ctx.operation if not executor.rehearsal else ():
            executor.journal.mark(settling(ctx, host))
        super().perform(ctx, executor)

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the mark where it is not."""
        if not ctx.is_current(host):
            yield ctx.mark("settled", ctx.image.digest)
