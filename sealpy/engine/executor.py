"""The executor: pull steps from generators, perform each on its host, send the result back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sealpy.engine.connections import Connections
from sealpy.engine.journal import Journal
from sealpy.engine.perform import Performed, Performer
from sealpy.errors import SealpyError
from sealpy.events import Emit, StepFinished, StepStarted
from sealpy.sdk import Ask, Call, Fetch, On, PlainStep, Put, Result, Run, Send, Step, Steps, Wait

__all__ = ["Executor", "Forgive", "Outcomes", "Recorded", "strict"]

# Takes the hosts that failed in a phase, and gives those for which the run has to end; it goes on without the others.
Forgive = Callable[[Mapping[str, SealpyError]], Mapping[str, SealpyError]]


def strict(errors: Mapping[str, SealpyError]) -> Mapping[str, SealpyError]:
    """Let a run end for every host that failed."""
    return errors


@dataclass(frozen=True, slots=True)
class Recorded:
    """Hold one changing step that a rehearsal did not perform."""

    phase: str
    host: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Hold what came of a fan-out: the value or the error of each host, and how many steps changed something."""

    values: Mapping[str, object]
    errors: Mapping[str, SealpyError]
    changed: int


@dataclass(slots=True)
class _Tally:
    values: dict[str, object] = field(default_factory=dict)
    errors: dict[str, SealpyError] = field(default_factory=dict)
    bugs: list[BaseException] = field(default_factory=list)
    changed: int = 0


@dataclass(frozen=True, slots=True)
class _Report:
    phase: str
    host: str
    step: PlainStep


class Executor:
    """Perform steps for real, or rehearse them; one for each run."""

    def __init__(self, connections: Connections, *, emit: Emit, journal: Journal, rehearsal: bool = False) -> None:
        self.connections = connections
        self.emit = emit
        self.journal = journal
        self.rehearsal = rehearsal
        self.recorded: list[Recorded] = []
        self.changed = 0
        self.sent = 0
        self.forgive: Forgive = strict
        self._guard = threading.Lock()
        self._performer = Performer(connections, emit=emit)

    def interrupt(self) -> None:
        """Ask the run to end: what is being performed is finished, nothing new is begun."""
        self.connections.interruption.ask()

    def check_interrupted(self) -> None:
        """Raise InterruptedRunError once `interrupt` was called."""
        self.connections.interruption.check()

    def pause(self, seconds: float) -> None:
        """Wait; raises InterruptedRunError when the run is interrupted meanwhile."""
        self.connections.interruption.wait(seconds)
        self.check_interrupted()

    def fan_out(
        self, phase: str, hosts: Sequence[str], steps: Callable[[str], Steps], *, at_once: int = 16
    ) -> Outcomes:
        """Drive one generator for each host, at most `at_once` at a time; one that fails does not stop the others."""
        tally = _Tally()
        waiting = list(reversed(hosts))

        def work() -> None:
            while True:
                with self._guard:
                    if not waiting:
                        return
                    host = waiting.pop()
                self._drive(phase, host, steps, tally)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(at_once, len(hosts)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # wakes for signals
        if tally.bugs:
            raise tally.bugs[0]
        ordered = {host: tally.errors[host] for host in hosts if host in tally.errors}
        return Outcomes(values=tally.values, errors=ordered, changed=tally.changed)

    def _drive(self, phase: str, host: str, steps: Callable[[str], Steps], tally: _Tally) -> None:
        try:
            value, changed = self._run_generator(phase, host, steps(host))
        except SealpyError as error:
            with self._guard:
                tally.errors[host] = error
        except BaseException as bug:  # noqa: BLE001 - carried to the caller's thread, which raises it
            with self._guard:
                tally.bugs.append(bug)
        else:
            with self._guard:
                tally.values[host] = value
                tally.changed += changed

    def _run_generator(self, phase: str, host: str, generator: Steps) -> tuple[object, int]:
        changed = 0
        try:
            step = next(generator)
            while True:
                try:
                    self.check_interrupted()
                    result, did = self._step(phase, host, step)
                except SealpyError as error:
                    step = generator.throw(error)
                else:
                    changed += did
                    step = generator.send(result)
        except StopIteration as end:
            return end.value, changed
        finally:
            generator.close()

    def _step(self, phase: str, host: str, step: Step) -> tuple[Result, bool]:
        if isinstance(step, On):
            host, step = step.address, step.step
        self.emit(StepStarted(host=host, phase=phase, kind=_kind(step), title=step.title))
        report = _Report(phase, host, step)
        begun = time.monotonic()
        try:
            performed = (
                self._rehearse(phase, host, step) if self.rehearsal else self._performer.perform(phase, host, step)
            )
        except SealpyError as error:
            self._finished(report, time.monotonic() - begun, Performed(Result(exit_status=1)), error.message)
            raise
        self._finished(report, time.monotonic() - begun, performed)
        return performed.result, performed.changed

    def _finished(self, report: _Report, seconds: float, performed: Performed, error: str = "") -> None:
        phase, host, step = report.phase, report.host, report.step
        kind, title = _kind(step), step.title
        with self._guard:
            self.sent += performed.sent
            self.changed += performed.changed and not performed.result.sample
        if (performed.changed or error) and not self.rehearsal and isinstance(step, Run | Put | Send | Call):
            self.journal.step(host=host, phase=phase, kind=kind, title=title, error=error)
        self.emit(
            StepFinished(
                host=host,
                phase=phase,
                kind=kind,
                title=title,
                seconds=seconds,
                ok=not error,
                changed=performed.changed,
                rehearsed=self.rehearsal and performed.changed,
                error=error,
            )
        )

    def _rehearse(self, phase: str, host: str, step: PlainStep) -> Performed:
        match step:
            case Ask() | Fetch():
                return self._performer.perform(phase, host, step)
            case Wait():
                # What is waited for may depend on steps that were only recorded: then nobody can know.
                return Performed(Result(sample=True)) if self.recorded else self._performer.look_once(host, step)
            case Put() if self._performer.is_there(host, step):
                return Performed(Result())
            case Run(sample=sample):
                result = Result(stdout=sample, sample=True)
            case Call(sample=value):
                result = Result(value=value, sample=True)
            case _:
                result = Result(sample=True)
        with self._guard:
            self.recorded.append(Recorded(phase, host, _kind(step), step.title))
        return Performed(result, changed=True)


def _kind(step: PlainStep) -> str:
    return type(step).__name__.lower()
