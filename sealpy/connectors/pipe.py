"""A running program's three streams, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

__all__ = ["OpenPipe", "Pipe", "PipeClosedError", "Source"]


class Source(Enum):
    """Name the stream that bytes came from."""

    STDOUT = "stdout"
    STDERR = "stderr"


class PipeClosedError(Exception):
    """Tell that the program takes no more input; never leaves this package."""


class Pipe(Protocol):
    """Hold the standard streams of one program that was started on the machine."""

    @property
    def piece(self) -> int:
        """Give the size in which many bytes are best written."""
        ...

    @property
    def alive(self) -> bool:
        """Tell whether the carrier beneath, such as the connection, still stands."""
        ...

    def write(self, data: bytes | memoryview, *, timeout: float) -> int:
        """Write what fits and give its length, 0 after `timeout` seconds; raises PipeClosedError."""
        ...

    def read(self, *, timeout: float) -> tuple[Source, bytes] | None:
        """Give the next bytes and whose they are, None after `timeout` seconds; raises PipeClosedError at the end."""
        ...

    def end_input(self) -> None:
        """Close the program's standard input."""
        ...

    def exit_status(self, *, timeout: float) -> int | None:
        """Wait for the program to end and give its exit status; None when it has none after `timeout` seconds."""
        ...

    def close(self) -> None:
        """Let go of the streams; a second call does nothing."""
        ...


OpenPipe = Callable[[Sequence[str]], Pipe]
