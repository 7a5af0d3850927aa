"""Forward what a plugin's process prints, line by line and within bounds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import IO

from sealpy.plugin.limits import Limits

__all__ = ["Forwarder"]

_KEPT = 20  # last lines, for the error of a plugin that dies


class Forwarder:
    """Read one stream to its end in a thread of its own; past the limits it is still read, but no longer shown."""

    def __init__(self, stream: IO[bytes], show: Callable[[str], None], *, limits: Limits) -> None:
        self._stream = stream
        self._show = show
        self._limits = limits
        self._lines = 0
        self._size = 0
        self.tail: deque[str] = deque(maxlen=_KEPT)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait until everything was read: the writers have ended."""
        self._thread.join(timeout)

    def _read(self) -> None:
        with self._stream:
            while line := self._stream.readline(self._limits.line):
                self._forward(line)

    def _forward(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        self.tail.append(text)
        if self._lines > self._limits.lines:
            return
        self._lines += 1
        self._size += len(line)
        if self._lines > self._limits.lines or self._size > self._limits.output:
            self._lines = self._limits.lines + 1
            text = "… more, which is not shown"
        self._show(text)
