"""How soon the command line answers, and what it costs to show what happens."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sealpy.cli.redaction import Secrets
from sealpy.cli.renderers.live import Live
from sealpy.cli.renderers.plain import Plain
from sealpy.events import Event, PhaseStarted, StepFinished, StepOutput, StepStarted

SEALPY = str(Path(sys.executable).with_name("sealpy"))
HOSTS = tuple(f"10.99.0.{n}" for n in range(1, 101))


@dataclass(frozen=True, slots=True)
class Budget:
    """Name what is measured, how, and how many milliseconds it may take."""

    name: str
    measure: Callable[[], None]
    at_most: float
    times: int = 9


def _timed(measure: Callable[[], None]) -> float:
    begun = time.perf_counter()
    measure()
    return (time.perf_counter() - begun) * 1000


def _sealpy(*words: str) -> Callable[[], None]:
    def measure() -> None:
        subprocess.run([SEALPY, *words], check=True, stdout=subprocess.DEVNULL)

    return measure


def _events() -> Iterator[Event]:
    """Yield what a phase on 100 hosts tells: 3,001 events."""
    yield PhaseStarted(phase="init", title="Initialize", hosts=HOSTS)
    for host in HOSTS:
        for n in range(10):
            title = f"step {n}"
            yield StepStarted(host=host, phase="init", kind="run", title=title)
            yield StepOutput(host=host, phase="init", title=title, line="[certs] Generating a key")
            yield StepFinished(host=host, phase="init", kind="run", title=title, seconds=0.1, ok=True, changed=True)


EVENTS = tuple(_events())


def _plain() -> None:
    plain = Plain(io.StringIO())
    for event in EVENTS:
        plain.show(event, time=0)


def _live() -> None:
    live = Live(io.StringIO(), console=Console(file=io.StringIO(), width=120, height=40, force_terminal=True))
    for event in EVENTS:
        live.show(event, time=0)
    live.close()


def _redaction() -> None:
    secrets = Secrets()
    for n in range(10):
        secrets.add(f"secret number {n}")
    for event in EVENTS:
        secrets.clean_data(event)


BUDGETS = (
    Budget("sealpy --help", _sealpy("--help"), 150),
    Budget("sealpy version", _sealpy("version"), 150),
    Budget("sealpy version --output json", _sealpy("version", "--output", "json"), 150),
    Budget("3,001 events as plain lines", _plain, 150),
    Budget("3,001 events on the live screen", _live, 1000, times=3),
    Budget("3,001 events through 10 secrets", _redaction, 300),
)


def terminal() -> Iterator[tuple[str, list[float], str]]:
    """Give what is measured, its seconds, and the budget."""
    for budget in BUDGETS:
        taken = [_timed(budget.measure) / 1000 for _ in range(budget.times)]
        yield budget.name, taken, f"{budget.at_most / 1000:g} s"
