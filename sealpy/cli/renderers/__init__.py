"""one file per output style: live (rich), plain, jsonl."""

from __future__ import annotations

from typing import Protocol

from sealpy.events import Event

__all__ = ["Renderer"]


class Renderer(Protocol):
    """Show events; called by one thread at a time, with secrets already blotted out."""

    def show(self, event: Event, *, time: float) -> None:
        """Show one event that happened at `time`, in seconds since the epoch."""
        ...

    def close(self) -> None:
        """Leave the screen as a plain program would, until the next event; a second call does nothing."""
        ...
