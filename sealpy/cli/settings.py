"""What the global flags choose."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

__all__ = ["Detail", "Settings", "Style"]


class Style(StrEnum):
    """Name what is written: text for people, JSON for programs."""

    TEXT = "text"
    JSON = "json"


class Detail(IntEnum):
    """Say how much is shown: warnings alone, what matters, or every event."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Settings(NamedTuple):
    """Hold the choices; `terminal` tells that stderr is a screen that can be redrawn."""

    style: Style = Style.TEXT
    detail: Detail = Detail.NORMAL
    color: bool = False
    terminal: bool = False
