"""Ctrl-C: the first ends the run cleanly, the second at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType

from sealpy.engine.executor import Executor
from sealpy.events import Warned

__all__ = ["interruptible"]


@contextlib.contextmanager
def interruptible(executor: Executor) -> Generator[None]:
    """Let the first SIGINT or SIGTERM end the run after the steps that are being performed, the second one raise.

    Signals reach the main thread alone; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        executor.interrupt()
        executor.emit(
            Warned(message="stopping after what is being done now", hint="press Ctrl-C again to stop at once")
        )

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
