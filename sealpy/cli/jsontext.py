"""JSON as text: on one line for programs, indented for people."""

from __future__ import annotations

import json

__all__ = ["indented", "one_line"]


def one_line(data: object) -> str:
    """Write data as JSON on one line; paths and other plain objects as their text."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)


def indented(data: object) -> str:
    """Write data as JSON with two blanks per level."""
    return json.dumps(data, ensure_ascii=False, indent=2, default=str)
