"""A phase: which hosts, what each is to do, and what becomes of the answers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sealpy.engine.executor import Executor
from sealpy.errors import InterruptedRunError, PhaseError, SealpyError
from sealpy.events import PhaseFinished, PhaseSkipped, PhaseStarted
from sealpy.sdk import Steps

__all__ = ["Phase", "Told", "run_phases", "telling"]

C = TypeVar("C")  # the context; the engine does not look into it


class Phase(Generic[C]):
    """Do one thing on some hosts: subclass it, give it a docstring (its title) and `hosts` and `steps`."""

    at_once: int = 16  # hosts worked on in parallel

    @property
    def name(self) -> str:
        """Give the stable name: that of the class in small letters, such as `join_workers`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def title(self) -> str:
        """Give what the operator reads: the first line of the docstring, without the period."""
        return (type(self).__doc__ or self.name).strip().splitlines()[0].rstrip(".")

    def skip(self, ctx: C) -> str:
        """Say why there is nothing to do; empty when there is."""
        del ctx
        return ""

    def hosts(self, ctx: C) -> Sequence[str]:
        """Give the addresses of the hosts concerned."""
        raise NotImplementedError

    def steps(self, ctx: C, host: str) -> Steps:
        """Yield what this host is to do; what it returns goes to `finish`."""
        raise NotImplementedError

    def finish(self, ctx: C, values: Mapping[str, object]) -> None:
        """Take what `steps` returned for each host that succeeded, unless the run ends for those that failed."""

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Turn the errors of the hosts into the one error that ends the run."""
        return PhaseError(self.title, errors)

    def perform(self, ctx: C, executor: Executor) -> None:
        """Run the phase to its end on every host, then raise what failed."""
        hosts = tuple(self.hosts(ctx))
        reason = self.skip(ctx) or ("" if hosts else "no host is concerned")
        if reason:
            executor.emit(PhaseSkipped(phase=self.name, title=self.title, reason=reason))
            return
        with telling(executor, self.name, self.title, hosts) as told:
            outcomes = executor.fan_out(self.name, hosts, lambda host: self.steps(ctx, host), at_once=self.at_once)
            told.changed = outcomes.changed
            told.failed += [(host, error.message) for host, error in outcomes.errors.items()]
        if errors := executor.forgive(outcomes.errors) if outcomes.errors else {}:
            raise _stopped(errors) or self.failed(errors)
        self.finish(ctx, outcomes.values)


def _stopped(errors: Mapping[str, SealpyError]) -> InterruptedRunError | None:
    """Give the error of a run that the operator has stopped, with what failed besides; None when nobody has."""
    stopped = [error for error in errors.values() if isinstance(error, InterruptedRunError)]
    if not stopped or len(stopped) == len(errors):
        return stopped[0] if stopped else None
    failed = [error.message for error in errors.values() if error not in stopped]
    return InterruptedRunError(f"{stopped[0].message}; besides, {'; '.join(failed)}", hint=stopped[0].hint)


@dataclass(slots=True)
class Told:
    """Collect what is told of a phase at its end; of several messages of a host the first one is."""

    changed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def telling(executor: Executor, name: str, title: str, hosts: Iterable[str]) -> Iterator[Told]:
    """Tell of the begin and of the end of a phase, whatever is done in it; the end is not told of what raises."""
    begun, told = time.monotonic(), Told()
    executor.emit(PhaseStarted(phase=name, title=title, hosts=tuple(hosts)))
    yield told
    failed: dict[str, str] = {}
    for host, message in told.failed:
        failed.setdefault(host, message)
    seconds = time.monotonic() - begun
    executor.emit(
        PhaseFinished(phase=name, title=title, seconds=seconds, changed=told.changed, failed=tuple(failed.items()))
    )


def run_phases(phases: Iterable[Phase[C]], ctx: C, executor: Executor) -> None:
    """Run phases in order; the first that fails ends the run after its other hosts have finished."""
    for phase in phases:
        executor.check_interrupted()
        phase.perform(ctx, executor)
