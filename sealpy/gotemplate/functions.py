"""The functions that templates may call: Go's own, `b64enc` and `b64dec`."""

from __future__ import annotations

import base64
import binascii
import html as html_signs
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from sealpy.errors import counted
from sealpy.gotemplate.printf import printf
from sealpy.gotemplate.values import CallError, Missing, compare_kind, kind_of, shown, truth

__all__ = ["FUNCTIONS", "LAZY", "Function"]

LAZY = frozenset({"and", "or"})  # stop at the argument that decides; the evaluator performs them
_UNBOUNDED = 1_000


@dataclass(frozen=True, slots=True)
class Function:
    """Hold a function and how many arguments it takes.

    One that `takes_missing` may be asked about a key that nobody gave; for all others that is an error.
    """

    call: Callable[..., object]
    least: int
    most: int = _UNBOUNDED
    takes_missing: bool = False

    def check_count(self, count: int) -> None:
        """Raise CallError when `count` arguments are too few or too many."""
        if not self.least <= count <= self.most:
            wanted = ("" if self.least == self.most else "at least ") + counted(self.least, "argument")
            raise CallError(f"takes {wanted}, got {count}")


def _not(value: object) -> bool:
    return not truth(value)


def _eq(first: object, *others: object) -> bool:
    """Tell whether the first value equals any other; a missing key equals only another missing one."""
    return any(_equal(first, other) for other in others)


def _equal(left: object, right: object) -> bool:
    if isinstance(left, Missing | None) or isinstance(right, Missing | None):
        return isinstance(left, Missing | None) and isinstance(right, Missing | None)
    if compare_kind(left) != compare_kind(right):
        raise CallError(f"{kind_of(left)} cannot be compared with {kind_of(right)}")
    return left == right


def _ne(left: object, right: object) -> bool:
    return not _equal(left, right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def ordered(left: object, right: object) -> bool:
        if compare_kind(left) != compare_kind(right) or isinstance(left, bool):
            raise CallError(f"{kind_of(left)} cannot be ordered with {kind_of(right)}")
        if isinstance(left, str) and isinstance(right, str):
            return compare(left.encode(), right.encode())  # Go orders text by its bytes
        return compare(left, right)

    return ordered


def _length(value: object) -> int:
    match value:
        case str():
            return len(value.encode())
        case Mapping() | Sequence():
            return len(value)
        case _:
            raise CallError(f"{kind_of(value)} has no length")


def _index(value: object, *keys: object) -> object:
    for key in keys:
        value = _entry(value, key)
    return value


def _entry(value: object, key: object) -> object:
    match value:
        case Mapping():
            if not isinstance(key, str):
                raise CallError(f"a map is asked by text, not by {kind_of(key)}")
            return value.get(key)
        case str() | Sequence():
            items = value.encode() if isinstance(value, str) else value
            if not isinstance(key, int) or isinstance(key, bool):
                raise CallError(f"{kind_of(value)} is asked by a whole number, not by {kind_of(key)}")
            if not 0 <= key < len(items):
                raise CallError(f"{key} is beyond the {len(items)} items")
            return items[key]
        case _:
            raise CallError(f"{kind_of(value)} holds nothing to look up")


def _slice(value: object, *bounds: object) -> object:
    items = value.encode() if isinstance(value, str) else value
    if not isinstance(items, bytes | Sequence):
        raise CallError(f"{kind_of(value)} cannot be sliced")
    start = bounds[0] if bounds else 0
    end = bounds[1] if len(bounds) > 1 else len(items)
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end <= len(items):
        raise CallError(f"{shown(start)} to {shown(end)} is not within the {len(items)} items")
    part = items[start:end]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def _print(*values: object) -> str:
    """Join values; a blank stands between two that are both no text."""
    text = ""
    for before, value in zip((None, *values), values, strict=False):
        blank = before is not None and not isinstance(before, str) and not isinstance(value, str)
        text += " " * blank + shown(value)
    return text


def _println(*values: object) -> str:
    return " ".join(shown(value) for value in values) + "\n"


def _html(*values: object) -> str:
    text = html_signs.escape(_print(*values), quote=False)
    return text.replace('"', "&#34;").replace("'", "&#39;").replace("\0", "\N{REPLACEMENT CHARACTER}")


_JS = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}


def _js(*values: object) -> str:
    return "".join(_JS.get(sign) or (sign if sign.isprintable() else f"\\u{ord(sign):04X}") for sign in _print(*values))


def _urlquery(*values: object) -> str:
    return quote_plus(_print(*values))


def _b64enc(value: object) -> str:
    return base64.b64encode(_text(value).encode()).decode()


def _b64dec(value: object) -> str:
    try:
        return base64.b64decode(_text(value), validate=True).decode()
    except (binascii.Error, ValueError):
        raise CallError("takes base64 of text") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise CallError(f"takes text, not {kind_of(value)}")
    return value


FUNCTIONS: Mapping[str, Function] = {
    "and": Function(lambda *_: None, 1, takes_missing=True),
    "or": Function(lambda *_: None, 1, takes_missing=True),
    "not": Function(_not, 1, 1, takes_missing=True),
    "eq": Function(_eq, 2, takes_missing=True),
    "ne": Function(_ne, 2, 2, takes_missing=True),
    "lt": Function(_ordered(operator.lt), 2, 2),
    "le": Function(_ordered(operator.le), 2, 2),
    "gt": Function(_ordered(operator.gt), 2, 2),
    "ge": Function(_ordered(operator.ge), 2, 2),
    "len": Function(_length, 1, 1),
    "index": Function(_index, 1),
    "slice": Function(_slice, 1, 3),
    "print": Function(_print, 0),
    "println": Function(_println, 0),
    "printf": Function(printf, 1),
    "html": Function(_html, 0),
    "js": Function(_js, 0),
    "urlquery": Function(_urlquery, 0),
    "b64enc": Function(_b64enc, 1, 1),
    "b64dec": Function(_b64dec, 1, 1),
}
