"""What a plugin's process may take before it is stopped."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bound one call of a plugin; seconds and bytes.

    `deadline` counts the plugin's own time: its steps have time-outs of their own. After it the plugin is interrupted,
    `term_after` seconds later told to end, and `kill_after` seconds later killed, with all that it started.
    """

    deadline: float = 600.0
    term_after: float = 2.0
    kill_after: float = 5.0
    steps: int = 10_000
    message: int = 64 * 1024 * 1024
    lines: int = 2_000
    output: int = 256 * 1024
    line: int = 4_096
