"""Tables as aligned plain text, for results on stdout."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

__all__ = ["table_lines", "width"]


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield a heading in capitals and the rows, each column as wide as its widest cell, without blanks at the end."""
    cells = [[column.upper() for column in columns], *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "   ".join(cell + " " * (w - width(cell)) for cell, w in zip(row, widths, strict=True)).rstrip()


def width(text: str) -> int:
    """Count the columns that a text takes on a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
