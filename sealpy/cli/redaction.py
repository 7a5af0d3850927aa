"""Keep secrets out of everything that leaves: redaction by value, at the sink."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

__all__ = ["MASK", "Secrets"]

MASK: Final = "******"
T = TypeVar("T")
_SHORTEST: Final = 4  # shorter values would blot out ordinary words


class Secrets:
    """Hold the values that must never be shown, and blot them out of text and data; safe to use by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spellings: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Blot out this value from now on, in each spelling in which it could leave; shorter than 4 is not sought."""
        with self._lock:
            spellings = self._spellings | frozenset(_spellings(value))
            if spellings == self._spellings:
                return
            self._spellings = spellings
            longest_first = sorted(spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """Give the text with every secret replaced by asterisks."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text

    def clean_data(self, data: T) -> T:
        """Give the data with every string in it cleaned: dataclasses, mappings, lists and tuples, however deep."""
        return self._clean(data) if self._pattern else data

    def _clean(self, data: Any) -> Any:
        if isinstance(data, str):
            return self.clean(data)
        if isinstance(data, Mapping):
            return {self._clean(key): self._clean(value) for key, value in data.items()}
        if isinstance(data, (tuple, list)):
            return type(data)(self._clean(value) for value in data)
        if is_dataclass(data) and not isinstance(data, type):
            return replace(data, **{f.name: self._clean(getattr(data, f.name)) for f in fields(data) if f.init})
        return data


def _spellings(value: str) -> Iterator[str]:
    """Yield the ways a value is written: as it is, line by line, and as Python, JSON, shells and URLs quote it."""
    import base64
    import json
    import shlex
    import urllib.parse

    lines = [line.strip() for line in value.splitlines()]
    for text in {value, value.strip(), *lines}:
        if len(text) < _SHORTEST:
            continue
        yield text
        yield repr(text)[1:-1]
        yield json.dumps(text)[1:-1]
        yield shlex.quote(text)
        yield urllib.parse.quote(text, safe="")
    if len(value) >= _SHORTEST:
        yield base64.b64encode(value.encode()).decode()
