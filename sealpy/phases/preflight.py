"""Refuse what kubeadm would fail on, and more, before anything is changed: every problem of every host at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sealpy.checks import Found, Needs, inspect
from sealpy.context import Context
from sealpy.engine import Executor, Phase, telling
from sealpy.errors import HostError, PreflightError, Problem
from sealpy.events import Warned

__all__ = ["Preflight", "needs_of", "refuse"]

_HINT = "nothing was changed on any host; mend these and run it again, or leave a check out by --skip ID"


class Preflight(Phase[Context]):
    """Check that the hosts can become nodes."""

    def __init__(self, *, renames: bool = False) -> None:
        """Take whether a plugin gives the hosts their names later: then equal ones are no problem yet."""
        self._renames = renames

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Look at the facts alone; no host is asked again."""
        with telling(executor, self.name, self.title, ctx.inventory.addresses) as told:
            found = tuple(inspect(ctx.inventory, ctx.facts, needs_of(ctx, renamed=self._renames), skip=ctx.skip))
            errors = [one for one in found if one.severity == "error"]
            told.failed += [(one.host, one.problem.message) for one in errors]
        for one in found:
            if one.severity == "warning":
                executor.emit(Warned(message=one.problem.message, host=one.host, hint=one.fix))
        refuse(((one.host, one) for one in errors), executor)


def needs_of(ctx: Context, *, renamed: bool = False) -> Needs:
    """Say what image and cluster ask of the machines; raises ConfigError for ranges that are none."""
    ranges = ctx.runtime.ranges()
    return Needs(
        platform=ctx.image.config.architecture,
        image_kib=ctx.image.size // 1024,
        kept_free=ctx.runtime.kept_free(),
        data_root=ctx.directory,
        pods=ranges.pods,
        services=ranges.services,
        registry_hosts=tuple(ctx.registry.hosts),
        registry_port=ctx.registry.port,
        etcd=Needs().etcd if ctx.runtime.keeps_etcd else (),
        leader=ctx.inventory.leader,
        renamed=renamed,
    )


def refuse(found: Iterable[tuple[str, Found]], executor: Executor) -> None:
    """Raise one PreflightError for all findings, unless the run may go on without the hosts that each is laid to."""
    problems: dict[str, list[Problem]] = {}
    laid_to: dict[str, list[Found]] = {}
    for culprit, one in found:
        problems.setdefault(one.host, []).append(one.problem)
        laid_to.setdefault(culprit, []).append(one)
    if laid_to and executor.forgive({host: _unfit(host, some) for host, some in laid_to.items()}):
        raise PreflightError(problems, hint=_HINT)


def _unfit(host: str, found: Sequence[Found]) -> HostError:
    """Give all that is laid to a host; what another one has found begins with its name."""
    told = (one.problem.message if one.host == host else f"{one.host} {one.problem.message}" for one in found)
    return HostError(host, "; ".join(told), hint=found[0].fix)
