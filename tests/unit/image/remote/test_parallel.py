"""Work by several threads: how it ends when one fails, or the operator has had enough."""

from __future__ import annotations

import signal
import threading

import pytest

from sealpy.image.remote.parallel import Stop, at_once

BOUND = 20.0  # seconds for the slowest machine; nothing here waits for it


def test_whoever_works_has_ended_when_an_interrupt_that_waits_for_them_is_raised() -> None:
    stop, ended = Stop(), threading.Event()

    def work(_: int) -> None:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        try:
            while True:
                stop.check()
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        at_once(work, [1], limit=1, stop=stop, patience=BOUND)
    assert ended.is_set()


def test_the_first_failure_ends_the_work_of_all() -> None:
    stop, begun = Stop(), threading.Event()

    def work(item: str) -> None:
        if item == "fails":
            begun.wait(BOUND)
            raise ValueError(item)
        begun.set()
        while True:
            stop.check()

    with pytest.raises(ValueError, match="fails"):
        at_once(work, ["works", "fails"], limit=2, stop=stop)
