"""What a template computes with, and how Go prints and compares it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["CallError", "Missing", "compare_kind", "kind_of", "shortest", "shown", "truth"]


class CallError(Exception):
    """Tell that a function cannot work with what it got; the evaluator adds file, line and expression."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Stand for the value of a key that nobody gave: false in tests, an error when it is to be put out.

    `source` is the expression as written. `reported` tells that the error is already on the list.
    """

    source: str
    line: int
    reported: bool = False


def truth(value: object) -> bool:
    """Tell whether Go takes a value for true: not missing, not false, not 0, not empty."""
    match value:
        case Missing() | None:
            return False
        case bool() | int() | float():
            return bool(value)
        case str() | Mapping() | Sequence():
            return len(value) > 0
        case _:
            return True


def kind_of(value: object) -> str:  # noqa: PLR0911 - one line for each kind
    """Name the kind of a value for messages, which never show values: they may be secrets."""
    match value:
        case bool():
            return "a truth value"
        case int():
            return "a whole number"
        case float():
            return "a fraction"
        case str():
            return "text"
        case Mapping():
            return "a map"
        case Sequence():
            return "a list"
        case _:
            return "nothing"


def compare_kind(value: object) -> str:
    """Name the kind of a value that can be compared; raises CallError for maps and lists."""
    if isinstance(value, bool | int | float | str):
        return kind_of(value)
    raise CallError(f"{kind_of(value)} cannot be compared")


def shown(value: Any) -> str:  # noqa: PLR0911 - one line for each kind
    """Write a value as Go's `%v` does."""
    match value:
        case Missing() | None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return shortest(value)
        case Mapping():
            pairs = (f"{shown(key)}:{shown(value[key])}" for key in sorted(value))
            return f"map[{' '.join(pairs)}]"
        case Sequence():
            return f"[{' '.join(shown(item) for item in value)}]"
        case _:
            return str(value)


_SMALLEST, _LARGEST = -4, 6  # powers of ten outside of which Go writes an exponent


def shortest(value: float) -> str:
    """Write a fraction in the fewest digits that give it back, as Go does: 1e+06, not 1000000.0."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    mantissa, power = _digits(value)
    if power < _SMALLEST or power >= _LARGEST:
        return f"{mantissa}e{power:+03d}"
    digits = len(mantissa.lstrip("-").replace(".", ""))
    return f"{value:.{max(0, digits - 1 - power)}f}"


def _digits(value: float) -> tuple[str, int]:
    for count in range(17):
        text = f"{value:.{count}e}"
        if float(text) == value:
            break
    mantissa, _, exponent = text.partition("e")
    return mantissa, int(exponent)
