"""What the shell may put where the cursor stands: commands, options, and values by the word that the help has for them.

The scripts of `sealpy completion` call sealpy with the words up to the cursor. It answers with one candidate a line,
followed by a tab and what it is, or with `:files` where the shell is to look for files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sealpy.cli.completers import COMPLETERS
from sealpy.cli.placeholders import placeholder

__all__ = ["FILES", "answer"]

FILES: Final = ":files"
_FILE_WORDS: Final = frozenset({"DIR", "FILE", "PATH", "PLUGIN"})


def answer(root: Any, words: Sequence[str]) -> str:
    """Give what may stand in the place of the last of these words, for the shell to read."""
    *before, typed = words or [""]
    line = _Line(root)
    for word in before:
        line.read(word)
    if line.command is None:
        return ""
    spelling, equals, rest = typed.partition("=")
    if line.pending is None and line.is_option(typed) and not equals:
        return _lines(line.options(), typed)
    if line.pending is None and line.is_option(typed):
        return _values(line.option(spelling), rest, before=f"{spelling}=")
    if line.pending is None and line.children():
        return _lines(line.children(), typed)
    return _values(line.pending or line.argument(), typed)


@dataclass(slots=True)
class _Line:
    """Follow a command line word by word, as far as it is typed; `command` is None after a word that is none."""

    command: Any
    arguments: int = 0  # how many there are already
    pending: Any = None  # the option whose value comes next
    ended: bool = False  # by `--`: what follows is no option

    def read(self, word: str) -> None:
        """Take one whole word."""
        if self.pending is not None:
            self.pending = None
        elif word == "--":
            self.ended = True
        elif self.is_option(word):
            option = self.option(word)
            self.pending = option if option is not None and placeholder(option, None) else None
        elif self.children():
            self.command = self.command.get_command(None, word)
        else:
            self.arguments += 1

    def is_option(self, word: str) -> bool:
        """Tell whether a word is an option, or begins one."""
        return word.startswith("-") and not self.ended

    def children(self) -> Sequence[tuple[str, str]]:
        """Give the commands below this one, each with what it does."""
        found: Sequence[tuple[str, str]] = self.command.children() if hasattr(self.command, "children") else ()
        return found

    def options(self) -> Iterator[tuple[str, str]]:
        """Give every spelling of every option, with what it is for."""
        return ((spelling, param.help or "") for param in self._params("option") for spelling in param.opts)

    def option(self, word: str) -> Any:
        """Find an option by a spelling of it."""
        return next((param for param in self._params("option") if word in param.opts), None)

    def argument(self) -> Any:
        """Give the argument that comes next, the last one again when it may repeat."""
        arguments = list(self._params("argument"))
        repeated = arguments[-1:] if arguments and arguments[-1].nargs != 1 else []
        return next(iter(arguments[self.arguments :] or repeated), None)

    def _params(self, kind: str) -> Iterator[Any]:
        params: Iterable[Any] = self.command.params if self.command is not None else ()
        return (param for param in params if param.param_type_name == kind and not param.hidden)


def _values(param: Any, typed: str, *, before: str = "") -> str:
    word = placeholder(param, None) if param is not None else ""
    if word.startswith("<"):
        found: Iterable[tuple[str, str]] = ((choice, "") for choice in word.strip("<>").split("|"))
    else:
        found = COMPLETERS[word](typed) if word in COMPLETERS else ()
    lines = _lines(((before + value, what) for value, what in found), before + typed)
    return lines or (FILES if word in _FILE_WORDS else "")


def _lines(candidates: Iterable[tuple[str, str]], typed: str) -> str:
    return "\n".join(f"{value}\t{what}" for value, what in candidates if value.startswith(typed))
