"""Tables as aligned plain text, for results on stdout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

__all__ = ["in_a_line", "table_lines", "width"]

_GAP: Final = "   "
_SHOWN: Final = {code: " " if chr(code).isspace() else f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_LEAST: Final = 10  # columns for a cell: below that a fold is harder to read than a line that is too long


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[object]], *, screen: int = 0) -> Iterator[str]:
    """Yield a heading in capitals and the rows, each column as wide as its widest cell, without blanks at the end.

    On a screen of so many columns the widest cells go on below themselves, between words. Where the words alone are
    too wide for that, each row is a list of its cells, one a line. No word is ever cut.
    """
    heading = [column.upper() for column in columns]
    cells = [[in_a_line(str(cell)) for cell in row] for row in rows]
    natural = _widest([heading, *cells], width)
    least = [min(w, max(_LEAST, word)) for w, word in zip(natural, _widest([heading, *cells], _word), strict=True)]
    widths = _shrunk(natural, least, screen - len(_GAP) * (len(columns) - 1)) if screen else natural
    if screen and cells and _total(widths) > screen and _listed_width(heading, cells) <= screen:
        yield from _listed(heading, cells, screen)
        return
    for row in [heading, *cells]:
        folded = [_folded(cell, w) for cell, w in zip(row, widths, strict=True)]
        for parts in zip_longest(*folded, fillvalue=""):
            yield _GAP.join(part + " " * (w - width(part)) for part, w in zip(parts, widths, strict=True)).rstrip()


def _widest(rows: Sequence[Sequence[str]], measure: Callable[[str], int]) -> list[int]:
    return [max(map(measure, column)) for column in zip(*rows, strict=True)]


def _word(text: str) -> int:
    return max(map(width, text.split()), default=0)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _shrunk(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Take from the widest column that can give until all fit, or until none can."""
    widths = list(natural)
    while sum(widths) > room:
        giving = [at for at, w in enumerate(widths) if w > least[at]]
        if not giving:
            break
        widths[max(giving, key=widths.__getitem__)] -= 1
    return widths


def _listed_width(heading: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    return max(map(width, heading)) + len(_GAP) + max((_word(cell) for row in cells for cell in row), default=0)


def _listed(heading: Sequence[str], cells: Sequence[Sequence[str]], screen: int) -> Iterator[str]:
    """Yield each row as lines of a name and a cell that is not empty, with an empty line between two rows."""
    names = max(map(width, heading))
    for number, row in enumerate(cells):
        if number:
            yield ""
        for name, cell in zip(heading, row, strict=True):
            for at, part in enumerate(_folded(cell, screen - names - len(_GAP)) if cell else ()):
                label = "" if at else name
                yield label + " " * (names - width(label)) + _GAP + part


def _folded(text: str, room: int) -> list[str]:
    """Break a text that is wider than the room between words; a word that is wider itself stays whole."""
    if width(text) <= room:
        return [text]
    lines: list[str] = []
    for word in text.split():
        if lines and width(lines[-1]) + 1 + width(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def width(text: str) -> int:
    """Count the columns that a text takes on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # it takes longer to load than most tables to write

    return cell_len(text)


def in_a_line(text: str) -> str:
    """Give a text as one line that says nothing to the terminal, whoever wrote it: the names and notes of an image."""
    return text.translate(_SHOWN)
