"""The log file of a run: every event as a line with its time, whatever the screen shows."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from sealpy.cli.renderers.lines import line
from sealpy.disk import make_private
from sealpy.events import Event

__all__ = ["LogFile"]


class LogFile:
    """Append to a file that only its owner reads; its directory is made when it is missing."""

    def __init__(self, path: Path) -> None:
        make_private(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.path = path
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1)

    def show(self, event: Event, *, time: float) -> None:
        """Write the line of an event."""
        self.write(line(event), time=time)

    def write(self, text: str, *, time: float) -> None:
        """Write text of one or more lines, each with the time; nothing after the file is closed."""
        if self._file.closed:
            return
        moment = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._file.write("".join(f"{moment} {part}\n" for part in text.splitlines() or [""]))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
