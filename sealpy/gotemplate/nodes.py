"""The parts of a parsed template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "Branch",
    "Call",
    "Command",
    "Exit",
    "Fields",
    "Include",
    "Literal",
    "Node",
    "Pipeline",
    "Print",
    "Range",
    "Template",
    "Term",
    "Text",
    "Variable",
    "With",
]


@dataclass(frozen=True, slots=True)
class Literal:
    """Be a string, a number, a truth value or nil."""

    value: str | int | float | None


@dataclass(frozen=True, slots=True)
class Variable:
    """Be `$x`; `$` alone is what the template was called with."""

    name: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Be `.X.Y`: keys looked up one in the other, beginning at a term, or at the dot when there is none."""

    path: tuple[str, ...]
    of: Term | None = None
    source: str = ""  # as written, for messages


@dataclass(frozen=True, slots=True)
class Call:
    """Be the name of a function."""

    function: str


@dataclass(frozen=True, slots=True)
class Command:
    """Be one stage of a pipeline: a term, or a function with its arguments."""

    head: Term
    arguments: tuple[Term, ...]
    line: int
    source: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Be commands joined by `|`; sets `declares`, or sets anew when `assigns`."""

    commands: tuple[Command, ...]
    declares: tuple[str, ...]
    assigns: bool
    line: int
    source: str


Term = Literal | Variable | Fields | Call | Pipeline


@dataclass(frozen=True, slots=True)
class Text:
    """Be text that is put out as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Print:
    """Put out the value of a pipeline, unless a variable takes it."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Branch:
    """Be `if`."""

    test: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class With:
    """Be `with`: as `if`, and the value becomes the dot."""

    test: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Be `range`."""

    over: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Exit:
    """Be `break` or `continue`."""

    word: str


@dataclass(frozen=True, slots=True)
class Include:
    """Be `template`, and the place where a `block` stands."""

    name: str
    argument: Pipeline | None
    line: int


Node = Text | Print | Branch | With | Range | Exit | Include


@dataclass(frozen=True, slots=True)
class Template:
    """Be a whole file: what it puts out, and the templates that it defines."""

    name: str
    body: tuple[Node, ...]
    defined: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
