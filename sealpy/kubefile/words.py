"""Words of an instruction: where they end, what quotes mean, and what stands for a variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["PROXIES", "Quoting", "Variables", "WordError", "split"]

PROXIES = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"})
"""Arguments that RUN gets when they are given, in small letters or capitals, whether they are declared or not."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_REFERENCE = re.compile(
    r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<operator>\}|:?[-+?]|##?|%%?|//?))", re.ASCII
)
_QUOTES = "\"'"
_SHOWN = 40  # signs of a text that a message shows


class WordError(Exception):
    """Refuse a word; the caller adds the line."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Quoting:
    """Follow a text sign by sign, and know what quotes, escapes and `${…}` are open."""

    quote: str = ""
    braces: int = 0
    _before: str = ""
    _escaped: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether the next sign stands in something that is not closed yet."""
        return bool(self.quote or self.braces or self._escaped)

    def see(self, sign: str) -> None:
        """Go on by one sign."""
        if self._escaped:
            self._escaped = False
            sign = ""  # not what it looks like
        elif sign == "\\" and self.quote != "'":
            self._escaped = True
        elif self.quote:
            self.quote = "" if sign == self.quote else self.quote
        elif sign in _QUOTES:
            self.quote = sign
        elif sign == "{" and self._before == "$":
            self.braces += 1
        elif sign == "}" and self.braces:
            self.braces -= 1
        self._before = sign


def split(text: str) -> tuple[list[str], str]:
    """Split at blanks outside of quotes and `${…}`, up to a word that begins with `#`; give the words and that comment.

    Quotes and escapes stay as they are. Raises WordError.
    """
    words: list[str] = []
    current, quoting = "", Quoting()
    for at, sign in enumerate(text):
        if sign == "#" and not current:
            return words, text[at:].strip()
        if sign in " \t\n" and not quoting.is_open:
            words += [current] if current else []
            current = ""
            continue
        current += sign
        quoting.see(sign)
    if quote := quoting.quote:
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
        """Declare an argument; give its value, or None. Docker's names for the platform need no value."""
        self.used.add(name)
        platform = {"TARGETOS": "linux", "TARGETARCH": self.arch, "TARGETPLATFORM": f"linux/{self.arch}"}
        value = self.given.get(name, platform.get(name, default))
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

    def expand_document(self, text: str) -> str:
        """Put variables into a here-document, where quotes are text; raises WordError likewise."""
        return _Expansion(text, self._known_or_refused, quotes="").text()

    def expand_command(self, text: str) -> str:
        """Put declared arguments into a command and leave all else to the shell that will run it."""
        out, at = "", 0
        for match in _REFERENCE.finditer(text):
            name = match["bare"] or match["braced"]
            if match.start() < at or name not in self.arguments or text[: match.start()].endswith("\\"):
                continue
            value, end = _Expansion(text, self._declared_or_left).variable_at(match.start())
            out, at = out + text[at : match.start()] + value, end
        return out + text[at:]

    def _declared_or_left(self, name: str, operator: str) -> str | None:
        value = self.arguments.get(name)
        return f"${{{name}}}" if value is None and not operator else value

    def _known_or_refused(self, name: str, operator: str) -> str | None:
        value = self.find(name)
        if value is None and not operator:
            declare = "" if name in self.unset else f", or write \\${name} for the text itself"
            raise WordError(f"variable '{name}' has no value", f"build with --build-arg {name}=...{declare}")
        return value


class _Expansion:
    """Go through one word, sign by sign."""

    def __init__(self, word: str, find: Callable[[str, str], str | None], *, quotes: str = _QUOTES) -> None:
        self._word = word
        self._find = find
        self._quotes = quotes
        self._at = 0

    def text(self) -> str:
        """Expand the whole word."""
        return self._until("")

    def variable_at(self, at: int) -> tuple[str, int]:
        """Expand the one variable that begins at a place; give its value and where it ends."""
        self._at = at
        return self._variable(), self._at

    def _until(self, closing: str) -> str:
        """Read up to a closing sign; an empty one is the end of the word."""
        out = ""
        quote = ""
        while self._at < len(self._word):
            sign = self._word[self._at]
            if sign == closing and not quote:
                self._at += 1
                return out
            if sign in self._quotes and quote in {"", sign}:
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
            hint = "write ${NAME/pattern/other}" if closing == "/" and not quote else f"add {quote or closing}"
            raise WordError(f"'{_short(self._word)}' is not closed", hint)
        return out

    def _escaped(self, quote: str) -> str:
        """Read a sign behind a backslash; within double quotes, and where quotes are text, only some can be escaped."""
        sign = self._word[self._at + 1 : self._at + 2]
        self._at += 2
        if not self._quotes:
            return sign if sign and sign in "$\\" else f"\\{sign}"
        return sign if sign and (not quote or sign in '"$\\') else f"\\{sign}"

    def _variable(self) -> str:
        match = _REFERENCE.match(self._word, self._at)
        if match is None:
            if self._word.startswith("${", self._at):
                hint = "write ${NAME} or ${NAME:-default}"
                raise WordError(f"'{_short(self._word[self._at :])}' names no variable", hint)
            self._at += 1
            return "$"
        self._at = match.end()
        name, operator = match["bare"] or match["braced"], (match["operator"] or "}").removesuffix("}")
        match operator[-1:]:
            case "":
                return self._find(name, "") or ""
            case "/":
                return self._replaced(name, operator)
            case "#" | "%":
                pattern = self._until("}")
                return _trimmed(self._find(name, "") or "", operator, pattern)
            case _:
                return self._chosen(name, operator, self._until("}"))

    def _chosen(self, name: str, operator: str, other: str) -> str:
        """Choose between a value and another text; with a colon an empty value counts as none."""
        value = self._find(name, operator)
        is_set = bool(value) if operator.startswith(":") else value is not None
        match operator[-1]:
            case "+":
                return other if is_set else ""
            case "?" if not is_set:
                said = f": {other}" if other else ""
                raise WordError(f"variable '{name}' has no value{said}", f"build with --build-arg {name}=...")
            case _:
                return value or "" if is_set else other

    def _replaced(self, name: str, operator: str) -> str:
        """Read `${NAME/pattern/other}`: the first find is replaced, or with `//` every one."""
        pattern, other = self._until("/"), self._until("}")
        every = 0 if operator == "//" else 1
        return re.sub(_pattern(pattern, "*"), lambda _: other, self._find(name, "") or "", count=every)


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """Take the shortest (`#`, `%`) or longest (`##`, `%%`) fit away, from the beginning or from the end."""
    translated = _pattern(pattern, "*" if operator in {"##", "%%"} else "*?")
    if operator[0] == "#":
        found = re.match(translated, value)
        return value[found.end() :] if found else value
    ends = range(len(value), -1, -1) if operator == "%" else range(len(value) + 1)
    return next((value[:at] for at in ends if re.fullmatch(translated, value[at:])), value)


def _pattern(text: str, many: str) -> str:
    """Translate a pattern of the shell, which knows `*` and `?`, into a regular expression."""
    return "(?s)" + "".join(f".{many}" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in text)


def _short(text: str) -> str:
    """Give what fits into a message."""
    return text if len(text) <= _SHOWN and "\n" not in text else f"{text.splitlines()[0][:_SHOWN]}…"
