"""Ctrl-C, proved on a process of its own: the first ends the run after what is being done, the second at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sealpy.engine import Connections, Executor, Journal
from sealpy.engine.interrupt import interruptible
from sealpy.testing.connector import FakeConnector

# A machine whose first command lasts until a byte comes in; everything else is told on standard output.
RUN = """
import os
from sealpy.engine import Connections, Executor, Journal
from sealpy.engine.interrupt import interruptible
from sealpy.errors import SealpyError
from sealpy.events import StepFinished, Warned
from sealpy.sdk import Result, Run
from sealpy.testing.connector import FakeConnector

def tell(*words):
    print(*words, flush=True)

def long(_asked):
    tell("begun")
    os.read(0, 1)
    return Result()

def emit(event):
    if isinstance(event, Warned):
        tell("warning:", event.message, "|", event.hint)
    elif isinstance(event, StepFinished):
        tell("finished", event.title)

def steps(_host):
    yield Run("first", "long")
    yield Run("second", "true")

machine = FakeConnector().on("long", answers=[long])
executor = Executor(Connections(lambda _: machine), emit=emit, journal=Journal(None, run="r", action="apply"))
try:
    with interruptible(executor):
        for error in executor.fan_out("phase", ["10.0.0.1"], steps).errors.values():
            raise error
except SealpyError as error:
    tell("ended:", error.message, "|", error.hint)
except KeyboardInterrupt:
    tell("broken off")
"""
STOPPING = "warning: stopping after what is being done now | press Ctrl-C again to stop at once\n"


class Child:
    """A process that performs a step."""

    def __init__(self) -> None:
        words = [sys.executable, "-c", RUN]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def rest(self, given: str = "") -> list[str]:
        """Give what it says until its end."""
        said, _ = self.process.communicate(given, timeout=20)
        return said.splitlines()


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.process.kill()
    child.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_lets_what_was_begun_be_finished_and_begins_nothing_new(child: Child, number: signal.Signals) -> None:
    assert child.line() == "begun\n"
    child.process.send_signal(number)
    assert child.line() == STOPPING

    finished, ended = child.rest(given="x")
    assert finished == "finished first"
    assert ended.split(" | ") == [
        "ended: stopped by the operator; what was begun is finished",
        "run the same command again: it goes on where this run ended",
    ]


def test_the_second_ends_the_run_at_once(child: Child) -> None:
    assert child.line() == "begun\n"
    child.process.send_signal(signal.SIGINT)
    assert child.line() == STOPPING
    child.process.send_signal(signal.SIGINT)

    assert child.line() == "broken off\n"
    child.process.wait(timeout=20)  # by itself: the step that lasts is not waited for
    assert child.line() == ""


def test_behind_the_run_signals_mean_what_they_meant_before() -> None:
    executor = Executor(Connections(FakeConnector), emit=lambda _: None, journal=Journal(None, run="r", action="apply"))
    before = signal.getsignal(signal.SIGINT)
    with interruptible(executor):
        during = signal.getsignal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before != during
