"""Refuse what kubeadm would fail on, and more, before anything is changed: every problem of every host at once."""

from __future__ import annotations

import time
from collections.abc import Iterable

from sealpy.checks import Found, Needs, inspect
from sealpy.context import Context
from sealpy.engine import Executor, Phase
from sealpy.errors import PreflightError, Problem
from sealpy.events import PhaseFinished, PhaseStarted, Warned

__all__ = ["Preflight", "needs_of", "refuse"]

_HINT = "nothing was changed on any host; mend these and run it again, or leave a check out by --skip ID"


class Preflight(Phase[Context]):
    """Check that the hosts can become nodes."""

    def __init__(self, *, renames: bool = False) -> None:
        """Take whether a plugin gives the hosts their names later: then equal ones are no problem yet."""
        self._renames = renames

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Look at the facts alone; no host is asked again."""
        begun = time.monotonic()
        hosts = ctx.inventory.addresses
        executor.emit(PhaseStarted(phase=self.name, title=self.title, hosts=hosts))
        found = tuple(inspect(ctx.inventory, ctx.facts, needs_of(ctx, renamed=self._renames), skip=ctx.skip))
        errors = [one for one in found if one.severity == "error"]
        executor.emit(
            PhaseFinished(
                phase=self.name,
                title=self.title,
                seconds=time.monotonic() - begun,
                changed=0,
                failed=tuple({one.host: one.problem.message for one in reversed(errors)}.items()),
            )
        )
        for one in found:
            if one.severity == "warning":
                executor.emit(Warned(message=one.problem.message, host=one.host, hint=one.fix))
        refuse(errors)


def needs_of(ctx: Context, *, renamed: bool = False) -> Needs:
    """Say what image and cluster ask of the machines; raises ConfigError for ranges that are none."""
    ranges = ctx.runtime.ranges()
    return Needs(
        platform=ctx.image.config.architecture,
        image_kib=ctx.image.size // 1024,
        data_root=ctx.directory,
        pods=ranges.pods,
        services=ranges.services,
        registry_hosts=tuple(ctx.registry.hosts),
        registry_port=ctx.registry.port,
        leader=ctx.inventory.leader,
        renamed=renamed,
    )


def refuse(found: Iterable[Found]) -> None:
    """Raise one PreflightError for all of these; does nothing when there are none."""
    problems: dict[str, list[Problem]] = {}
    for one in found:
        problems.setdefault(one.host, []).append(one.problem)
    if problems:
        raise PreflightError(problems, hint=_HINT)
