"""Let every host pull from the private registry."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.phases.start_registry import domain_marks, registry_of, trusts
from sealpy.registry import trust
from sealpy.sdk import Steps

__all__ = ["TrustRegistry"]


class TrustRegistry(Phase[Context]):
    """Let the hosts pull from the registry."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host."""
        return ctx.inventory.addresses

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the mirrors and the authority where they are not yet."""
        if not ctx.registry.hosts:
            if not trusts(ctx, host, ""):
                yield from trust(registry_of(ctx), host, b"")
        elif ctx.authority and not trusts(ctx, host, ctx.authority.fingerprint):  # else every host has it
            yield from trust(registry_of(ctx), host, ctx.authority.certificate)
        if host in ctx.inventory.masters:  # a new one: those that know of the domains may leave
            for mark in sorted(domain_marks(ctx) - ctx.facts[host].marks.keys()):
                yield ctx.mark(mark, "done")
