"""Learn what every host is, in one round trip each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.inventory import Facts, gather_facts
from sealpy.sdk import Steps

__all__ = ["GatherFacts"]


class GatherFacts(Phase[Context]):
    """Gather facts."""

    at_once = 32

    def __init__(self, *, only: Sequence[str] | None = None) -> None:
        """Take the hosts, when it is not all of them."""
        self._only = only

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host, unless some are named; one that did not answer before is not asked."""
        return tuple(host for host in ctx.inventory.addresses if self._only is None or host in self._only)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Run the script of facts."""
        del host
        return gather_facts(ctx.directory)

    def finish(self, ctx: Context, values: Mapping[str, object]) -> None:
        """Keep the facts for the phases that follow."""
        ctx.facts.update({host: facts for host, facts in values.items() if isinstance(facts, Facts)})
