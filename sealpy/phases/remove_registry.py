"""Stop the private registry and take the hosts' trust in it back."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.registry import distrust, stop
from sealpy.sdk import Steps

__all__ = ["RemoveRegistry"]


class RemoveRegistry(Phase[Context]):
    """Remove the registry."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def steps(self, ctx: Context, host: str) -> Steps:
        """Stop it where it ran, forget it everywhere."""
        if host in ctx.registry.hosts:
            yield from stop(ctx.registry, host)
        yield from distrust(ctx.registry, host)
