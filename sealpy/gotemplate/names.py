"""Say which function somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterable

from sealpy.errors import did_you_mean

__all__ = ["nearest_function"]

_FOREIGN = {  # words of other template languages and of the shell, and what says the same here
    "default": 'write {{ or .X "the default" }}',
    "elif": "write {{ else if … }}",
    "elseif": "write {{ else if … }}",
    "endif": "write {{ end }}",
    "fi": "write {{ end }}",
    "for": "write {{ range … }}",
    "quote": 'write {{ printf "%q" .X }}',
}


def nearest_function(word: str, known: Iterable[str]) -> str:
    """Give a hint for a function that does not exist; it is often text that lacks its quotes."""
    return _FOREIGN.get(word) or did_you_mean(word, known) or f'if it is text, put it in quotes: "{word}"'
