"""`.dockerignore` and `.kubeignore`: what of the context is never copied.

One pattern a line, relative to the context; `*` and `?` stop at `/`, `**` does not; `!` takes files back in; the last
pattern that fits decides; a pattern that fits a directory fits all below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sealpy.errors import ConfigError, Place

__all__ = ["Ignore"]

_FILES = (".kubeignore", ".dockerignore")
_PIECES = re.compile(r"(\*\*/|\*\*|\*|\?|\\.|\[[^\]]*\]?)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """Tell which paths of a context are left out; made by `Ignore.load`."""

    rules: tuple[tuple[re.Pattern[str], bool], ...] = ()

    @classmethod
    def load(cls, context: Path) -> Self:
        """Read the first of `.kubeignore` and `.dockerignore` that is there; raises ConfigError with the line."""
        for name in _FILES:
            file = context / name
            if not file.is_file():
                continue
            try:
                return cls.parse(file.read_text("utf-8"), name=str(file))
            except UnicodeDecodeError as error:
                raise ConfigError("the file is no text", place=Place(file), hint="save it as UTF-8") from error
        return cls()

    @classmethod
    def parse(cls, text: str, *, name: str = ".kubeignore") -> Self:
        """Read the patterns of such a file, which messages call `name`; raises ConfigError with the line."""
        rules = []
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.strip().startswith("#"):
                continue
            try:
                rules.append(_rule(line.strip()))
            except re.error as error:
                hint = r"close it, or write '\[' for the sign itself"
                message = f"pattern '{line.strip()}': {error.msg}"
                raise ConfigError(message, place=Place(name, number), hint=hint) from error
        return cls(tuple(rules))

    def fits(self, path: str) -> bool:
        """Tell whether a path, relative to the context, is left out."""
        left_out = False
        for pattern, leaves_out in self.rules:
            if leaves_out != left_out and pattern.fullmatch(path):
                left_out = leaves_out
        return left_out


def _rule(line: str) -> tuple[re.Pattern[str], bool]:
    pattern = "/".join(part for part in line.removeprefix("!").strip().split("/") if part not in {"", "."})
    text = "".join(_translated(part) for part in _PIECES.split(pattern))
    return re.compile(rf"{text}(?:/.*)?", re.DOTALL), not line.startswith("!")


_SIGNS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _translated(part: str) -> str:
    if part in _SIGNS:
        return _SIGNS[part]
    if part.startswith("["):
        return f"[^{part[2:]}" if part.startswith("[!") else part
    return re.escape(part.removeprefix("\\"))
