"""Tell how far long work on this machine is, not more often than somebody can read."""

from __future__ import annotations

import time
from collections.abc import Callable

from sealpy.events import Emit, TaskFinished, TaskProgress

__all__ = ["Progress"]

_PAUSE = 0.1  # seconds between two events of one step


class Progress:
    """Turn steps and bytes into events."""

    def __init__(self, emit: Emit, task: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._task = task
        self._clock = clock
        self._begun = clock()

    def step(self, detail: str, *, total: int = 0) -> Callable[[int], None]:
        """Begin a step of `total` bytes and give the function that takes the number of bytes of each piece."""
        done = 0
        told = self._clock()
        self._emit(TaskProgress(task=self._task, detail=detail, total=total))

        def on_bytes(count: int) -> None:
            nonlocal done, told
            done += count
            now = self._clock()
            if now - told >= _PAUSE or done == total:
                told = now
                self._emit(TaskProgress(task=self._task, detail=detail, done=done, total=total))

        return on_bytes

    def finish(self, detail: str) -> None:
        """Say that all is done."""
        self._emit(TaskFinished(task=self._task, seconds=self._clock() - self._begun, detail=detail))
