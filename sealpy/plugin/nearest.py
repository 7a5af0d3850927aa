"""Say what somebody most likely meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(word: str, known: Iterable[str]) -> str:
    """Give a hint: the known word most like this one, or else all of them."""
    words = sorted(known)
    folded = {other.casefold(): other for other in words}
    if close := difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6):
        return f"did you mean '{folded[close[0]]}'?"
    return f"use one of {', '.join(words)}" if words else ""
