"""Log in to every host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import HostError, PhaseError, SealpyError
from sealpy.sdk import Ask, Result, Steps

__all__ = ["Connect"]


class Connect(Phase[Context]):
    """Connect to the hosts."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host."""
        return ctx.inventory.addresses

    def steps(self, ctx: Context, host: str) -> Steps:
        """See that commands run there, as root."""
        del ctx
        answer: Result = yield Ask("log in", "id", "-u")
        if answer.text != "0":
            raise HostError(
                host, f"commands run as user {answer.text or '?'}, not as root", hint="log in as root or allow sudo"
            )

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Say that nothing was changed."""
        return PhaseError(self.title, errors, hint="nothing was changed on any host; mend this and run it again")
