"""`.dockerignore` and `.kubeignore`: what of the context is never copied.

One pattern a line, relative to the context; `*` and `?` stop at `/`, `**` does not; `!` takes files back in; the last
pattern that fits decides; a pattern that fits a directory fits all below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Ignore"]

_FILES = (".kubeignore", ".dockerignore")


@dataclass(frozen=True, slots=True)
class Ignore:
    """Tell which paths of a context are left out; made by `Ignore.load`."""

    rules: tuple[tuple[re.Pattern[str], bool], ...] = ()

    @classmethod
    def load(cls, context: Path) -> Self:
        """Read the first of `.kubeignore` and `.dockerignore` that is there."""
        for name in _FILES:
            if (context / name).is_file():
                return cls.parse((context / name).read_text("utf-8"))
        return cls()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the patterns of such a file."""
        lines = (line.strip() for line in text.splitlines())
        return cls(tuple(_rule(line) for line in lines if line and not line.startswith("#")))

    def fits(self, path: str) -> bool:
        """Tell whether a path, relative to the context, is left out."""
        left_out = False
        for pattern, leaves_out in self.rules:
            if leaves_out != left_out and pattern.fullmatch(path):
                left_out = leaves_out
        return left_out


def _rule(line: str) -> tuple[re.Pattern[str], bool]:
    pattern = "/".join(part for part in line.removeprefix("!").strip().split("/") if part not in {"", "."})
    text = "".join(_translated(part) for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", pattern))
    return re.compile(rf"{text}(?:/.*)?", re.DOTALL), not line.startswith("!")


def _translated(part: str) -> str:
    match part:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
        case _ if part.startswith("["):
            return part
        case _:
            return re.escape(part)
