"""The place in a stream of tokens at which a parser stands."""

from __future__ import annotations

from sealpy.errors import Place, TemplateError
from sealpy.gotemplate.tokens import Kind, Token, tokenize

__all__ = ["Cursor"]


class Cursor:
    """Look at tokens and take them; they are cut when asked for, so that the first error is the first in the file."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._stream = tokenize(text, name=name)
        self._tokens: list[Token] = []
        self.at = 0

    @property
    def peek(self) -> Token:
        """Give the next token without taking it."""
        while len(self._tokens) <= self.at:
            self._tokens.append(next(self._stream))
        return self._tokens[self.at]

    @property
    def last(self) -> Token:
        """Give the token that was taken last."""
        return self._tokens[self.at - 1]

    def take(self) -> Token:
        """Take the next token; the end of the file can be taken again and again."""
        token = self.peek
        if token.kind is not Kind.END:
            self.at += 1
        return token

    def back_to(self, at: int) -> None:
        """Give tokens back."""
        self.at = at

    def next_is(self, kind: Kind, *texts: str) -> bool:
        """Tell whether the next token is of a kind and, when texts are given, one of them."""
        return self.peek.kind is kind and (not texts or self.peek.text in texts)

    def expect(self, kind: Kind, what: str) -> Token:
        """Take a token of a kind; raises TemplateError when another one stands there."""
        if self.peek.kind is not kind:
            raise self.unexpected(what)
        return self.take()

    def error(self, token: Token, message: str, *, hint: str = "") -> TemplateError:
        """Make an error that names the line of a token."""
        return TemplateError(message, place=Place(self._name, token.line), hint=hint)

    def unexpected(self, wanted: str) -> TemplateError:
        """Make an error for the next token, which is not what is wanted."""
        found = self.peek.text or "the end of the file"
        return self.error(self.peek, f"'{found}' stands where {wanted} is expected")

    def source(self, first: Token, last: Token) -> str:
        """Give the text from one token to another, as it was written."""
        return self._text[first.start : max(first.end, last.end)]
