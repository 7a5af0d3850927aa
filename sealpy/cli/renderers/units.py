"""Sizes, rates and times as people read them."""

from __future__ import annotations

from typing import Final

__all__ = ["duration", "rate", "remaining", "size"]

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_STEP: Final = 1000
_MINUTE: Final = 60
_HOUR: Final = 3600
_WHOLE: Final = 100


def size(count: float) -> str:
    """Write bytes in powers of 1000, three digits or so: `814 B`, `1.5 MB`, `714 MB`."""
    value = float(count)
    for unit in _UNITS:
        if value < _STEP - 0.5 or unit == _UNITS[-1]:
            break
        value /= _STEP
    return f"{value:.0f} {unit}" if unit == "B" or value >= _WHOLE - 0.05 else f"{value:.1f} {unit}"


def rate(count: float, seconds: float) -> str:
    """Write bytes per second; nothing when no time has passed yet."""
    return f"{size(count / seconds)}/s" if seconds > 0 and count else ""


def remaining(done: float, total: float, *, seconds: float) -> str:
    """Write how long the rest takes if it goes on like this; nothing when that is not known."""
    if not 0 < done < total or seconds <= 0:
        return ""
    return f"{duration((total - done) * seconds / done)} left"


def duration(seconds: float) -> str:
    """Write a time: `0.04 s`, `6.6 s`, `48 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 0.095:  # noqa: PLR2004 - below a tenth the second digit is the interesting one
        return f"{seconds:.2f} s"
    if seconds < 9.95:  # noqa: PLR2004 - where rounding to one digit would say 10.0
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
