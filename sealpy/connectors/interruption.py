"""The wish of the operator that a run ends, heard by everything that waits for somebody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from sealpy.errors import InterruptedRunError

__all__ = ["Interruption"]

_LOOK = 0.1  # seconds at most until the wish is heard
_AGAIN = "run the same command again: it goes on where this run ended"
T = TypeVar("T")


class Interruption:
    """Say whether the run is to end; safe for use by many threads."""

    def __init__(self) -> None:
        self._asked = False
        self._waking = threading.Event()

    def ask(self) -> None:
        """Ask the run to end; also from a signal handler.

        Who sleeps is woken by another thread: the one that the signal has come to may be about to sleep, with the lock.
        """
        self._asked = True
        threading.Thread(target=self._waking.set, daemon=True).start()

    @property
    def asked(self) -> bool:
        """Tell whether the run is to end."""
        return self._asked

    def check(self) -> None:
        """Raise InterruptedRunError once the run is to end."""
        if self._asked:
            raise InterruptedRunError("stopped by the operator; what was begun is finished", hint=_AGAIN)

    def wait(self, seconds: float) -> bool:
        """Wait; tells at once when the run is to end."""
        return self._waking.wait(seconds) or self._asked

    def heed(self, call: Callable[[], T], *, what: str, late: Callable[[T], None] | None = None) -> T:
        """Give what a call gives, or raise InterruptedRunError as soon as the run is to end.

        Nobody can end a call that waits for somebody else: it goes on in a thread of its own, where its end is not seen
        any more, and `late` takes what it gives then. So it must not change anything. `what` names it in the message.
        """
        self.check()
        attempt = _Attempt(call, late)
        threading.Thread(target=attempt.make, daemon=True).start()
        while not attempt.over.wait(_LOOK):
            if self._asked and attempt.give_up():
                raise InterruptedRunError(f"stopped by the operator; {what} was not waited for", hint=_AGAIN)
        return attempt.result()


class _Attempt(Generic[T]):
    """Hold one call that may be given up before its end."""

    def __init__(self, call: Callable[[], T], late: Callable[[T], None] | None) -> None:
        self._call = call
        self._late = late
        self._lock = threading.Lock()
        self._given_up = False
        self._values: list[T] = []
        self._error: BaseException | None = None
        self.over = threading.Event()

    def make(self) -> None:
        """Call, and keep what comes of it."""
        try:
            value = self._call()
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread, which raises it
            self._error = error
        else:
            with self._lock:
                self._values.append(value)
                late = self._late if self._given_up else None
            if late:
                late(value)
        self.over.set()

    def give_up(self) -> bool:
        """Wait no longer; tells whether there is nothing yet."""
        with self._lock:
            self._given_up = not self._values and self._error is None
            return self._given_up

    def result(self) -> T:
        """Give the value, or raise what was raised."""
        if self._error is not None:
            raise self._error
        return self._values[0]
