"""Tables as aligned plain text, for results on stdout."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

__all__ = ["table_lines", "width"]

_GAP: Final = "   "


_LEAST: Final = 10  # columns for the last cell: below that a fold is harder to read than a line that is too long


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[object]], *, screen: int = 0) -> Iterator[str]:
    """Yield a heading in capitals and the rows, each column as wide as its widest cell, without blanks at the end.

    On a screen of so many columns the last cell of a row that is too long goes on below itself.
    """
    cells = [[column.upper() for column in columns], *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    for row in cells:
        head, *more = _folded(row[-1], screen - before)
        yield _GAP.join(
            cell + " " * (w - width(cell)) for cell, w in zip([*row[:-1], head], widths, strict=True)
        ).rstrip()
        yield from (" " * before + line for line in more)


def _folded(text: str, room: int) -> list[str]:
    if room < _LEAST or width(text) <= room:
        return [text]
    return wrap(text, room, break_long_words=False, break_on_hyphens=False)


def width(text: str) -> int:
    """Count the columns that a text takes on a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
