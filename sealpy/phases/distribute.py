"""Bring the files of the image to every host, and those rendered for it."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Steps

__all__ = ["Distribute"]


class Distribute(Phase[Context]):
    """Distribute the image."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host."""
        return ctx.inventory.addresses

    def steps(self, ctx: Context, host: str) -> Steps:
        """Send what is missing."""
        yield from ctx.distributor.deliver(ctx.tree(host), ctx.facts[host])
