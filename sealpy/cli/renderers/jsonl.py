"""JSON lines: one line per event, versioned, all fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TextIO

from sealpy.cli.jsontext import one_line
from sealpy.events import VERSION, Event

__all__ = ["JsonLines", "stamp"]


class JsonLines:
    """Write each event as one JSON object: `v`, `time`, `event`, then its fields."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, event: Event, *, time: float) -> None:
        """Write one line and flush it: a reader follows the run as it goes."""
        self._stream.write(one_line(stamp(event.name, asdict(event), time=time)) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: each line is complete by itself."""


def stamp(name: str, data: Mapping[str, Any], *, time: float) -> dict[str, Any]:
    """Give the fields of a line: the version, the time in UTC to the millisecond, the name, the data."""
    moment = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"v": VERSION, "time": moment, "event": name, **data}
