"""The wish that a run ends: who waits for somebody else hears it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sealpy.connectors.interruption import Interruption
from sealpy.errors import ConnectError, InterruptedRunError

BOUND = 60.0  # seconds for the slowest machine


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Give what a call waits for, and open it in the end."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_what_a_call_gives_or_raises_is_handed_on() -> None:
    interruption = Interruption()
    assert interruption.heed(lambda: 1, what="it") == 1

    def fail() -> int:
        raise ConnectError("10.0.0.1", "no answer")

    with pytest.raises(ConnectError, match="no answer"):
        interruption.heed(fail, what="it")


def test_a_call_is_given_up_and_what_it_gives_late_is_taken(gate: threading.Event) -> None:
    interruption, late, taken = Interruption(), [], threading.Event()

    def take(value: int) -> None:
        late.append(value)
        taken.set()

    def call() -> int:
        interruption.ask()
        gate.wait(BOUND)
        return 1

    with pytest.raises(InterruptedRunError, match="stopped by the operator; the login was not waited for"):
        interruption.heed(call, what="the login", late=take)
    assert late == []
    gate.set()
    assert taken.wait(BOUND)
    assert late == [1]


def test_behind_the_wish_nothing_is_begun() -> None:
    interruption = Interruption()
    interruption.check()
    interruption.ask()
    with pytest.raises(InterruptedRunError, match="what was begun is finished"):
        interruption.heed(lambda: pytest.fail("it was begun"), what="it")
    with pytest.raises(InterruptedRunError):
        interruption.check()


def test_who_sleeps_is_woken() -> None:
    interruption = Interruption()
    assert not interruption.wait(0)
    threading.Timer(0.01, interruption.ask).start()
    assert interruption.wait(BOUND)
    assert interruption.asked
