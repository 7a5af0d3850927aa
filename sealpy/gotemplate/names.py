"""Say which name somebody most likely meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["nearest", "nearest_function"]

_FOREIGN = {  # words of other template languages and of the shell, and what says the same here
    "default": 'write {{ or .X "the default" }}',
    "elif": "write {{ else if … }}",
    "elseif": "write {{ else if … }}",
    "endif": "write {{ end }}",
    "fi": "write {{ end }}",
    "for": "write {{ range … }}",
    "quote": 'write {{ printf "%q" .X }}',
}


def nearest(word: str, known: Iterable[str]) -> str:
    """Give `did you mean 'x'?`, or nothing when no name is like the word."""
    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f"did you mean '{folded[close[0]]}'?" if close else ""


def nearest_function(word: str, known: Iterable[str]) -> str:
    """Give a hint for a function that does not exist; it is often text that lacks its quotes."""
    return _FOREIGN.get(word) or nearest(word, known) or f'if it is text, put it in quotes: "{word}"'
