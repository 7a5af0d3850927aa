"""Template text → tokens."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from sealpy.errors import Place, TemplateError

__all__ = ["Kind", "Token", "tokenize"]


class Kind(Enum):
    """Name what a token is."""

    TEXT = auto()
    OPEN = auto()
    CLOSE = auto()
    KEYWORD = auto()
    NAME = auto()  # of a function
    FIELD = auto()  # `.X`
    VARIABLE = auto()  # `$` or `$x`
    DOT = auto()
    STRING = auto()
    NUMBER = auto()
    BOOL = auto()
    SIGN = auto()  # ( ) | , = :=
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """Be one word of a template; `start` and `end` are offsets into its text, `line` counts from 1."""

    kind: Kind
    text: str
    line: int
    start: int
    end: int


_BLANK = " \t\r\n"
_KEYWORDS = frozenset({"block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with"})
_OPEN = re.compile(r"\{\{(?P<trim>-[ \t\r\n])?")
_CLOSE = re.compile(r"(?P<trim>(?<=[ \t\r\n])-)?\}\}")
_COMMENT = re.compile(r"/\*.*?\*/(?P<trim>[ \t\r\n]-)?\}\}", re.DOTALL)
_BLANKS = re.compile(r"[ \t\r\n]*")
_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.STRING, re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`')),
    (Kind.NUMBER, re.compile(r"'(?:\\[^\n'][^'\n]*|\\'|[^'\\\n])'")),  # a character is its number
    (Kind.NUMBER, re.compile(r"[+-]?\.?\d(?:[eEpP][+-]|[\w.])*")),
    (Kind.FIELD, re.compile(r"\.[^\W\d]\w*")),
    (Kind.DOT, re.compile(r"\.")),
    (Kind.VARIABLE, re.compile(r"\$\w*")),
    (Kind.NAME, re.compile(r"[^\W\d]\w*")),
    (Kind.SIGN, re.compile(r":=|[()|,=]")),
)
_ENDS_AT_A_BLANK = frozenset({Kind.FIELD, Kind.DOT, Kind.VARIABLE, Kind.NAME})
_MAY_FOLLOW = re.compile(r"[ \t\r\n.,|:()]|\}\}")  # what Go allows right behind a field, a variable or a function


def tokenize(text: str, *, name: str) -> Iterator[Token]:
    """Cut a template into tokens, the last one of kind END; raises TemplateError where no token can begin."""
    return _Lexer(text, name).tokens()


class _Lexer:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self._line = 1

    def tokens(self) -> Iterator[Token]:
        trim = False
        while match := _OPEN.search(self._text, self._at):
            yield from self._literal(match.start(), left=trim, right=bool(match["trim"]))
            opening = self._token(Kind.OPEN, match.end())
            if self._text.startswith("/*", self._at):
                closing = self._comment()
            else:
                yield opening
                closing = yield from self._action(opening.line)
            trim = bool(closing["trim"])
        yield from self._literal(len(self._text), left=trim, right=False)
        yield self._token(Kind.END, len(self._text))

    def _token(self, kind: Kind, end: int) -> Token:
        """Take the text up to `end` as a token."""
        token = Token(kind, self._text[self._at : end], self._line, self._at, end)
        self._line += token.text.count("\n")
        self._at = end
        return token

    def _literal(self, end: int, *, left: bool, right: bool) -> Iterator[Token]:
        whole = self._token(Kind.TEXT, end)
        text = whole.text.lstrip(_BLANK) if left else whole.text
        text = text.rstrip(_BLANK) if right else text
        if text:
            yield Token(Kind.TEXT, text, whole.line, whole.start, whole.end)

    def _comment(self) -> re.Match[str]:
        match = _COMMENT.match(self._text, self._at)
        if not match:
            raise self._error("comment is not closed", hint="end it with '*/}}'")
        self._token(Kind.TEXT, match.end())
        return match

    def _action(self, opened: int) -> Generator[Token, None, re.Match[str]]:
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._token(Kind.TEXT, blanks.end() if blanks else self._at)
            if closing := _CLOSE.match(self._text, self._at):
                yield self._token(Kind.CLOSE, closing.end())
                return closing
            if self._at == len(self._text):
                raise self._error("action '{{' is not closed", line=opened, hint="end it with '}}'")
            yield self._word()

    def _word(self) -> Token:
        token = self._token(*self._match())
        if (
            token.kind in _ENDS_AT_A_BLANK
            and self._at < len(self._text)
            and not _MAY_FOLLOW.match(self._text, self._at)
        ):
            raise self._error(
                f"character '{self._text[self._at]}' cannot follow '{token.text}'",
                hint=f"a key with such a sign is read by {{{{ index . {_quoted(self._text, token)} }}}}",
            )
        return _classified(token)

    def _match(self) -> tuple[Kind, int]:
        for kind, pattern in _WORDS:
            if match := pattern.match(self._text, self._at):
                return kind, match.end()
        sign = self._text[self._at]
        hint = "close the quote on the same line" if sign in "\"'`" else "put text that is not code in double quotes"
        raise self._error(f"character '{sign}' has no meaning here", hint=hint)

    def _error(self, message: str, *, hint: str, line: int = 0) -> TemplateError:
        return TemplateError(message, place=Place(self._name, line or self._line), hint=hint)


def _classified(token: Token) -> Token:
    """Tell keywords and truth values from names of functions."""
    if token.kind is not Kind.NAME:
        return token
    kind = Kind.KEYWORD if token.text in _KEYWORDS else Kind.BOOL if token.text in {"true", "false"} else Kind.NAME
    return Token(kind, token.text, token.line, token.start, token.end)


def _quoted(text: str, token: Token) -> str:
    """Guess the key that was meant by `.docker-dir`."""
    match = re.compile(r"[^\s{}()|]*").match(text, token.end)
    return f'"{token.text.lstrip(".$")}{match[0] if match else ""}"'
