"""Template and values → text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import assert_never

from sealpy.errors import Place, Problem, TemplateError, did_you_mean
from sealpy.gotemplate.functions import FUNCTIONS, LAZY
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
from sealpy.gotemplate.values import CallError, Missing, kind_of, shown, truth

__all__ = ["evaluate"]

_DEEPEST = 50  # templates that call one another
_NOTHING = object()


def evaluate(template: Template, values: Mapping[str, object], *, missing: str | None = None) -> str:
    """Put out a template; raises TemplateError with every value that is missing, or with the first other error.

    With a text for `missing`, that text is put out instead and no missing value is an error.
    """
    return _Evaluator(template, values, missing=missing).text()


class _Evaluator:
    def __init__(self, template: Template, values: Mapping[str, object], *, missing: str | None) -> None:
        self._template = template
        self._values = values
        self._missing = missing
        self._variables: list[tuple[str, object]] = [("$", values)]
        self._out: list[str] = []
        self._problems: list[Problem] = []
        self._depth = 0

    def text(self) -> str:
        self._walk(self._template.body, self._values)
        match self._problems:
            case []:
                return "".join(self._out)
            case [only]:
                raise TemplateError(only.message, place=only.place, hint=only.hint)
            case problems:
                raise TemplateError(f"{self._template.name}: {len(problems)} values are missing", problems=problems)

    # ---- nodes

    def _walk(self, nodes: Iterable[Node], dot: object) -> Exit | None:
        """Put out nodes; give the `break` or `continue` that ended them early."""
        for node in nodes:
            if exit_ := self._node(node, dot):
                return exit_
        return None

    def _node(self, node: Node, dot: object) -> Exit | None:
        match node:
            case Text(text):
                self._out.append(text)
            case Print(pipeline):
                self._out.append(self._printed(pipeline, dot))
            case Branch() | With():
                return self._branch(node, dot)
            case Range():
                return self._range(node, dot)
            case Include():
                self._include(node, dot)
            case Exit():
                return node
            case _:
                assert_never(node)
        return None

    def _printed(self, pipeline: Pipeline, dot: object) -> str:
        value = self._pipeline(pipeline, dot)
        if pipeline.declares:
            return ""
        if isinstance(value, Missing):
            self._report(value)
            return self._missing or ""
        return shown(value)

    def _branch(self, node: Branch | With, dot: object) -> Exit | None:
        with self._scope():
            value = self._pipeline(node.test, dot)
            if not truth(value):
                return self._walk(node.otherwise, dot)
            return self._walk(node.then, value if isinstance(node, With) else dot)

    def _range(self, node: Range, dot: object) -> Exit | None:
        with self._scope():
            pairs = self._pairs(node.over, self._commands(node.over, dot))
            if not pairs:
                return self._walk(node.otherwise, dot)
            for key, item in pairs:
                with self._scope():
                    self._bind_pair(node.over, key, item)
                    exit_ = self._walk(node.body, item)
                if exit_ and exit_.word == "break":
                    break
        return None

    def _pairs(self, over: Pipeline, value: object) -> list[tuple[object, object]]:
        match value:
            case Missing() | None:
                return []
            case Mapping():
                return [(key, self._given(value[key], f"{over.source}[{key}]", over.line)) for key in sorted(value)]
            case Sequence() if not isinstance(value, str):
                return [(at, self._given(item, f"{over.source}[{at}]", over.line)) for at, item in enumerate(value)]
            case int() if not isinstance(value, bool):
                return [(count, count) for count in range(value)]
            case _:
                message = f"'{over.source}' is {kind_of(value)} and holds no items to range over"
                raise self._error(over.line, message, hint="`range` takes a list or a map")

    def _bind_pair(self, over: Pipeline, key: object, item: object) -> None:
        match over.declares:
            case (name,):
                self._bind(over, name, item)
            case (first, second):
                self._bind(over, first, key)
                self._bind(over, second, item)

    def _include(self, node: Include, dot: object) -> None:
        body = self._template.defined.get(node.name)
        if body is None:
            hint = did_you_mean(node.name, self._template.defined) or f'add {{{{ define "{node.name}" }}}}'
            raise self._error(node.line, f"template '{node.name}' is not defined", hint=hint)
        if self._depth == _DEEPEST:
            raise self._error(node.line, f"template '{node.name}' calls itself without an end")
        argument = self._pipeline(node.argument, dot) if node.argument else Missing(".", node.line)
        variables, self._variables = self._variables, [("$", argument)]
        self._depth += 1
        self._walk(body, argument)
        self._depth -= 1
        self._variables = variables

    # ---- pipelines

    def _pipeline(self, pipeline: Pipeline, dot: object) -> object:
        value = self._commands(pipeline, dot)
        for name in pipeline.declares:
            self._bind(pipeline, name, value)
        return value

    def _commands(self, pipeline: Pipeline, dot: object) -> object:
        value: object = _NOTHING
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        return value

    def _command(self, command: Command, dot: object, piped: object) -> object:
        if not isinstance(command.head, Call):
            if piped is not _NOTHING:
                raise self._error(command.line, f"'{command.source}' is no function and takes no piped value")
            return self._term(command.head, dot, command)
        return self._call(command, command.head.function, dot, piped)

    def _call(self, command: Command, name: str, dot: object, piped: object) -> object:
        function = FUNCTIONS[name]
        try:
            function.check_count(len(command.arguments) + (piped is not _NOTHING))
            if name in LAZY:
                return self._deciding(command, name, dot, piped)
            arguments = [*self._arguments(command, dot), *([] if piped is _NOTHING else [piped])]
            if not function.takes_missing and (missing := self._first_missing(arguments)):
                return missing
            return self._given(function.call(*arguments), command.source, command.line)
        except CallError as error:
            raise self._error(command.line, f"'{command.source}': {error}") from None

    def _arguments(self, command: Command, dot: object) -> Iterator[object]:
        for term in command.arguments:
            # A function that stands as an argument is called without arguments, as Go does.
            yield self._term(term, dot, command)

    def _deciding(self, command: Command, name: str, dot: object, piped: object) -> object:
        """Give the first argument that decides an `and` or `or`, or else the last one."""
        value: object = piped
        for value in self._arguments(command, dot):
            if truth(value) == (name == "or"):
                return value
        return value if piped is _NOTHING else piped

    def _first_missing(self, arguments: Iterable[object]) -> Missing | None:
        missing = [argument for argument in arguments if isinstance(argument, Missing)]
        for argument in missing:
            self._report(argument)
        return Missing(missing[0].source, missing[0].line, reported=True) if missing else None

    def _term(self, term: Term, dot: object, command: Command) -> object:
        match term:
            case Literal(value):
                return value
            case Variable(name):
                return next(value for known, value in reversed(self._variables) if known == name)
            case Fields():
                return self._fields(term, dot, command)
            case Call(function):
                return self._call(Command(term, (), command.line, function), function, dot, _NOTHING)
            case Pipeline():
                return self._pipeline(term, dot)
            case _:
                assert_never(term)

    def _fields(self, term: Fields, dot: object, command: Command) -> object:
        value = dot if term.of is None else self._term(term.of, dot, command)
        for key in term.path:
            match value:
                case Missing():
                    return Missing(term.source, command.line, value.reported)
                case Mapping():
                    value = self._given(value.get(key), term.source, command.line)
                case _:
                    message = f"'{term.source}' asks for '{key}' of {kind_of(value)}"
                    raise self._error(command.line, message)
        return value

    def _given(self, value: object, source: str, line: int) -> object:
        return Missing(source, line) if value is None else value

    # ---- variables and errors

    @contextmanager
    def _scope(self) -> Iterator[None]:
        count = len(self._variables)
        yield
        del self._variables[count:]

    def _bind(self, pipeline: Pipeline, name: str, value: object) -> None:
        if not pipeline.assigns:
            self._variables.append((name, value))
            return
        at = max(at for at, (known, _) in enumerate(self._variables) if known == name)
        self._variables[at] = (name, value)

    def _report(self, missing: Missing) -> None:
        if missing.reported or self._missing is not None:
            return
        place = Place(self._template.name, missing.line)
        problem = Problem(f"'{missing.source}' has no value", place, self._hint(missing.source))
        if problem not in self._problems:
            self._problems.append(problem)

    def _hint(self, source: str) -> str:
        key = source.removeprefix("$").removeprefix(".")
        if not key.isidentifier():
            return "test it with {{ if … }} before it is put out"
        close = did_you_mean(key, (known for known, value in self._values.items() if value is not None))
        return close or f'set {key} in `env`, or write {{{{ or .{key} "the default" }}}}'

    def _error(self, line: int, message: str, *, hint: str = "") -> TemplateError:
        place = Place(self._template.name, line)
        if not self._problems:
            return TemplateError(message, place=place, hint=hint)
        problems = [*self._problems, Problem(message, place, hint)]
        return TemplateError(f"{self._template.name}: {len(problems)} problems", problems=problems)
