"""Tokens → template."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sealpy.gotemplate.cursor import Cursor
from sealpy.gotemplate.literals import BadLiteralError, number, string
from sealpy.gotemplate.names import nearest_function
from sealpy.gotemplate.nodes import (
    Branch,
    Call,
    Command,
    Exit,
    Fields,
    Include,
    Literal,
    Node,
    Pipeline,
    Print,
    Range,
    Template,
    Term,
    Text,
    Variable,
    With,
)
from sealpy.gotemplate.tokens import Kind, Token

__all__ = ["parse"]

_DEEPEST = 100  # levels of blocks and brackets; no template that a person wrote comes near
_TERMS = frozenset({Kind.STRING, Kind.NUMBER, Kind.BOOL, Kind.NAME, Kind.FIELD, Kind.VARIABLE, Kind.DOT})


def parse(text: str, *, name: str, functions: Collection[str]) -> Template:
    """Read a template; raises TemplateError with file and line for a form or a function that does not exist."""
    return _Parser(text, name, functions).template()


class _Parser(Cursor):
    def __init__(self, text: str, name: str, functions: Collection[str]) -> None:
        super().__init__(text, name)
        self._functions = functions
        self._depth = 0
        self._loops = 0
        self._variables = ["$"]
        self._defined: dict[str, tuple[Node, ...]] = {}

    def template(self) -> Template:
        body, stop = self._nodes()
        if stop.kind is not Kind.END:
            raise self.error(stop, f"'{stop.text}' closes nothing", hint="remove it, or open an `if` before it")
        return Template(self._name, body, self._defined)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.error(self.peek, f"more than {_DEEPEST} levels stand in each other")
        yield
        self._depth -= 1

    @contextmanager
    def _scope(self) -> Iterator[None]:
        """Forget the variables that are declared within."""
        count = len(self._variables)
        yield
        del self._variables[count:]

    def _close(self) -> None:
        self.expect(Kind.CLOSE, "'}}'")

    # ---- blocks

    def _nodes(self) -> tuple[tuple[Node, ...], Token]:
        """Read up to `end`, `else` or the end of the file; give the word that stopped it, which is taken."""
        nodes: list[Node] = []
        with self._deeper():
            while True:
                token = self.take()
                match token.kind:
                    case Kind.TEXT:
                        nodes.append(Text(token.text))
                    case Kind.END:
                        return tuple(nodes), token
                    case _ if self.next_is(Kind.KEYWORD, "end", "else"):
                        return tuple(nodes), self.take()
                    case _:
                        nodes.extend(self._action())

    def _action(self) -> list[Node]:
        if self.peek.kind is not Kind.KEYWORD or self.peek.text == "nil":
            pipeline = self._pipeline()
            self._close()
            return [Print(pipeline)]
        word = self.take()
        match word.text:
            case "if" | "with" | "range":
                return [self._block(word)]
            case "define":
                return self._define(word)
            case "template":
                return [self._include(word)]
            case "block":
                return [self._included_block(word)]
            case _:
                return [self._exit(word)]

    def _block(self, word: Token) -> Node:
        with self._scope():
            test = self._pipeline(in_range=word.text == "range")
            self._close()
            self._loops += word.text == "range"
            body, stop = self._nodes()
            self._loops -= word.text == "range"
            otherwise = self._otherwise(word, stop)
        match word.text:
            case "if":
                return Branch(test, body, otherwise)
            case "with":
                return With(test, body, otherwise)
            case _:
                return Range(test, body, otherwise)

    def _otherwise(self, word: Token, stop: Token) -> tuple[Node, ...]:
        if stop.kind is Kind.END:
            raise self.error(word, f"'{word.text}' is not closed", hint="add {{ end }}")
        if stop.text == "end":
            self._close()
            return ()
        if word.text != "range" and self.next_is(Kind.KEYWORD, word.text):  # `else if`, `else with`: one end for both
            return (self._block(self.take()),)
        self._close()
        nodes, last = self._nodes()
        if last.text == "else":
            raise self.error(last, "'else' stands twice in one block", hint="write {{ else if … }} before {{ else }}")
        return self._ended(word, nodes, last)

    def _ended(self, word: Token, nodes: tuple[Node, ...], stop: Token) -> tuple[Node, ...]:
        if stop.text != "end":
            raise self.error(word, f"'{word.text}' is not closed", hint="add {{ end }}")
        self._close()
        return nodes

    def _exit(self, word: Token) -> Exit:
        if not self._loops:
            raise self.error(word, f"'{word.text}' stands outside of a range")
        self._close()
        return Exit(word.text)

    def _define(self, word: Token) -> list[Node]:
        if self._depth > 1:
            raise self.error(word, "'define' stands within a block", hint="move it to the top level of the file")
        name = self._quoted()
        self._close()
        self._defined[name] = self._own_body(word)
        return []

    def _own_body(self, word: Token) -> tuple[Node, ...]:
        """Read the body of a template, which sees no variable and no loop of its surroundings."""
        variables, loops = self._variables, self._loops
        self._variables, self._loops = ["$"], 0
        nodes, stop = self._nodes()
        self._variables, self._loops = variables, loops
        return self._ended(word, nodes, stop)

    def _include(self, word: Token) -> Include:
        name = self._quoted()
        argument = None if self.next_is(Kind.CLOSE) else self._pipeline()
        self._close()
        return Include(name, argument, word.line)

    def _included_block(self, word: Token) -> Include:
        name = self._quoted()
        argument = self._pipeline()
        self._close()
        body = self._own_body(word)
        self._defined.setdefault(name, body)  # a `define` of that name goes before
        return Include(name, argument, word.line)

    def _quoted(self) -> str:
        return self._string(self.expect(Kind.STRING, "the quoted name of a template"))

    # ---- pipelines

    def _pipeline(self, *, in_range: bool = False) -> Pipeline:
        first = self.peek
        declares, assigns = self._declarations(in_range=in_range)
        commands = [self._command()]
        while self.next_is(Kind.SIGN, "|"):
            self.take()
            commands.append(self._stage(len(commands) + 1))
        if not assigns:
            self._variables.extend(declares)
        source = self.source(first, self.last)
        return Pipeline(tuple(commands), declares, assigns, first.line, source)

    def _declarations(self, *, in_range: bool) -> tuple[tuple[str, ...], bool]:
        """Read `$x :=`, `$x =` and, in a range, `$i, $x :=`; tell whether known variables are set anew."""
        start = self.at
        names: list[Token] = []
        while self.peek.kind is Kind.VARIABLE:
            names.append(self.take())
            if self.next_is(Kind.SIGN, ":=", "="):
                assigns = self.take().text == "="
                for token in names if assigns else ():
                    self._check_variable(token)
                return tuple(token.text for token in names), assigns
            if not (in_range and len(names) == 1 and self.next_is(Kind.SIGN, ",")):
                break
            self.take()
        self.back_to(start)
        return (), False

    def _check_variable(self, token: Token) -> None:
        if token.text not in self._variables:
            hint = f"declare it by {{{{ {token.text} := … }}}}"
            raise self.error(token, f"variable '{token.text}' is not declared", hint=hint)

    def _stage(self, number_: int) -> Command:
        command = self._command()
        if isinstance(command.head, Literal):
            raise self.error(
                self.last,
                f"'{command.source}' cannot take the value of the pipeline",
                hint=f"stage {number_} of a pipeline must be a function",
            )
        return command

    def _command(self) -> Command:
        first = self.peek
        terms = [self._operand()]
        while self.peek.kind in _TERMS or self.next_is(Kind.SIGN, "(") or self.next_is(Kind.KEYWORD, "nil"):
            if self.peek.start == self.last.end:
                raise self.unexpected("a blank")
            terms.append(self._operand())
        if not (self.next_is(Kind.CLOSE) or self.next_is(Kind.SIGN, "|", ")")):
            raise self.unexpected("a value, '|' or '}}'")
        source = self.source(first, self.last)
        if len(terms) > 1 and not isinstance(terms[0], Call):
            raise self.error(first, f"'{self.source(first, first)}' is no function, but has arguments: '{source}'")
        if terms == [Literal(None)]:
            raise self.error(first, "'nil' is not a command")
        return Command(terms[0], tuple(terms[1:]), first.line, source)

    def _operand(self) -> Term:
        first = self.peek
        term = self._term()
        path: list[str] = []
        while self.peek.kind is Kind.FIELD and self.peek.start == self.last.end:
            path.append(self.take().text[1:])
        if not path:
            return term
        source = self.source(first, self.last)
        match term:
            case Literal():
                raise self.error(first, f"'{source}' asks for a field of a literal")
            case Fields(path=before, of=of) if before:
                return Fields((*before, *path), of, source)
            case Fields():  # `.` before `.X` is the dot itself
                return Fields(tuple(path), None, source)
            case _:
                return Fields(tuple(path), term, source)

    def _term(self) -> Term:  # noqa: PLR0911 - one line for each kind of term
        if self.next_is(Kind.SIGN, "("):
            return self._bracket()
        if self.peek.kind not in _TERMS and not self.next_is(Kind.KEYWORD, "nil"):
            raise self.unexpected("a value")
        token = self.take()
        match token.kind:
            case Kind.STRING:
                return Literal(self._string(token))
            case Kind.NUMBER:
                return Literal(self._number(token))
            case Kind.BOOL:
                return Literal(token.text == "true")
            case Kind.FIELD:
                return Fields((token.text[1:],), None, token.text)
            case Kind.DOT:
                return Fields((), None, ".")
            case Kind.VARIABLE:
                self._check_variable(token)
                return Variable(token.text)
            case Kind.NAME:
                return Call(self._function(token))
            case _:
                return Literal(None)

    def _bracket(self) -> Pipeline:
        with self._deeper():
            self.take()
            pipeline = self._pipeline()
            if not self.next_is(Kind.SIGN, ")"):
                raise self.unexpected("')'")
            self.take()
            return pipeline

    def _function(self, token: Token) -> str:
        if token.text in self._functions:
            return token.text
        hint = nearest_function(token.text, self._functions)
        raise self.error(token, f"function '{token.text}' does not exist", hint=hint)

    def _string(self, token: Token) -> str:
        try:
            return string(token.text)
        except BadLiteralError as error:
            raise self.error(token, f"text {token.text} {error}") from None

    def _number(self, token: Token) -> int | float:
        try:
            return number(token.text)
        except BadLiteralError as error:
            hint = f'if it is text, put it in quotes: "{token.text}"'
            raise self.error(token, f"'{token.text}' {error}", hint=hint) from None
