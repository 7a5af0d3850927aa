"""Much work at once, not too much; the first failure ends all of it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

__all__ = ["Stop", "at_once"]

T = TypeVar("T")
_PATIENCE: Final = 2.0  # seconds that those who were told to stop are waited for; they write nothing that is not whole


class Stop:
    """Tell those who work that another has failed, or that the operator has had enough."""

    def __init__(self) -> None:
        self._set = threading.Event()

    def set(self) -> None:
        """Tell it from now on."""
        self._set.set()

    def check(self) -> None:
        """Raise when it was told; to be called between two pieces of work."""
        if self._set.is_set():
            raise _StoppedError


class _StoppedError(Exception):
    """End the work of a thread because another thread's has failed; never leaves `at_once`."""


def at_once(work: Callable[[T], object], items: Iterable[T], *, limit: int, stop: Stop, patience: float = 0.0) -> None:
    """Call `work` for each item by as many threads as `limit`; raises what the first that failed has raised.

    Threads are daemons: Ctrl-C ends the process also while one of them waits for an answer. Where they hold what must
    be put in order behind them, it waits for their end, `patience` seconds at most.
    """
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        failure: BaseException | None = None
        try:
            while True:
                stop.check()
                work(waiting.get_nowait())
        except (queue.Empty, _StoppedError):
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failure = error
            stop.set()
        ended.put(failure)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(limit, waiting.qsize()))]
    try:
        for thread in threads:
            thread.start()
        failure = next(filter(None, (ended.get() for _ in threads)), None)
    except BaseException:
        stop.set()
        _wait_for(threads, patience)
        raise
    if failure:
        _wait_for(threads, _PATIENCE)
        raise failure


def _wait_for(threads: Iterable[threading.Thread], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for thread in threads:
        if thread.is_alive():  # one that was not begun cannot be waited for
            thread.join(max(0.0, deadline - time.monotonic()))
