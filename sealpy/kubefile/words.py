"""Words of an instruction: where they end, what quotes mean, and what stands for a variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

__all__ = ["Variables", "WordError", "split"]

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_REFERENCE = re.compile(r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<end>\}|:?[-+]))", re.ASCII)


class WordError(Exception):
    """Refuse a word; the caller adds the line."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def split(text: str) -> tuple[list[str], str]:
    """Split at blanks that stand in no quotes, up to a word that begins with `#`; give the words and that comment.

    Quotes and escapes stay as they are. Raises WordError.
    """
    words: list[str] = []
    current, quote, escaped = "", "", False
    for at, sign in enumerate(text):
        if sign == "#" and not current:
            return words, text[at:].strip()
        if not quote and not escaped and sign in " \t\n":
            words += [current] if current else []
            current = ""
            continue
        current += sign
        if escaped:
            escaped = False
        elif sign == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
    if quote:
        raise WordError(
            f"quote {quote} is not closed", f"add {quote} at the end, or write \\{quote} for the sign itself"
        )
    return [*words, *([current] if current else [])], ""


@dataclass(slots=True)
class Variables:
    """Hold what is set so far: arguments, which the environment goes before."""

    given: Mapping[str, str]  # --build-arg
    arch: str
    arguments: dict[str, str] = field(default_factory=dict)
    unset: set[str] = field(default_factory=set)  # arguments that were declared and have no value
    env: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # names of `given` that anything asked for

    def declare(self, name: str, default: str | None) -> str | None:
        """Declare an argument; give its value, or None."""
        self.used.add(name)
        value = self.given.get(name, default)
        if value is None:
            self.unset.add(name)
        else:
            self.unset.discard(name)
            self.arguments[name] = value
        return value

    def find(self, name: str) -> str | None:
        """Find the value of a variable."""
        if name in self.given:
            self.used.add(name)
        known = ({"ARCH": self.arch}, self.given, self.arguments, self.env)
        return next((values[name] for values in reversed(known) if name in values), None)

    def expand(self, word: str) -> str:
        """Take quotes and escapes away and put in variables; raises WordError for one that is not known."""
        return _Expansion(word, self._known_or_refused).text()

    def expand_command(self, text: str) -> str:
        """Put declared arguments into a command and leave all else to the shell that will run it."""
        declared: Collection[str] = self.arguments

        def put(match: re.Match[str]) -> str:
            name = match["bare"] or match["braced"]
            return self.arguments[name] if name in declared else match[0]

        return re.sub(r"(?<!\\)\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?::?-[^{}]*)?\})", put, text)

    def _known_or_refused(self, name: str, operator: str) -> str | None:
        value = self.find(name)
        if value is None and not operator:
            declare = "" if name in self.unset else f", or write \\${name} for the text itself"
            raise WordError(f"variable '{name}' has no value", f"build with --build-arg {name}=...{declare}")
        return value


class _Expansion:
    """Go through one word, sign by sign."""

    def __init__(self, word: str, find: Callable[[str, str], str | None]) -> None:
        self._word = word
        self._find = find
        self._at = 0

    def text(self) -> str:
        return self._until("")

    def _until(self, closing: str) -> str:
        """Read up to a closing sign; an empty one is the end of the word."""
        out = ""
        quote = ""
        while self._at < len(self._word):
            sign = self._word[self._at]
            if sign == closing and not quote:
                self._at += 1
                return out
            if sign in "\"'" and quote in {"", sign}:
                quote = "" if quote else sign
                self._at += 1
            elif sign == "\\" and quote != "'":
                out += self._escaped(quote)
            elif sign == "$" and quote != "'":
                out += self._variable()
            else:
                out += sign
                self._at += 1
        if closing or quote:
            raise WordError(f"'{self._word}' is not closed", f"add {closing or quote}")
        return out

    def _escaped(self, quote: str) -> str:
        """Read a sign behind a backslash; within double quotes only some signs can be escaped."""
        sign = self._word[self._at + 1 : self._at + 2]
        self._at += 2
        return sign if sign and (not quote or sign in '"$\\') else f"\\{sign}"

    def _variable(self) -> str:
        match = _REFERENCE.match(self._word, self._at)
        if match is None:
            if self._word.startswith("${", self._at):
                raise WordError(f"'{self._word}' names no variable", "write ${NAME} or ${NAME:-default}")
            self._at += 1
            return "$"
        self._at = match.end()
        name, operator = match["bare"] or match["braced"], (match["end"] or "}").removesuffix("}")
        if not operator:
            return self._find(name, "") or ""
        other = self._until("}")
        value = self._find(name, operator)
        is_set = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return other if is_set else ""
        return value or "" if is_set else other
