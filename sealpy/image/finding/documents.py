"""YAML and JSON text → nodes that know their line."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import yaml

__all__ = [
    "DEEPEST",
    "NotYamlError",
    "documents",
    "entries",
    "is_mapping",
    "is_sequence",
    "line_of",
    "scalar",
    "text_at",
]

DEEPEST = 100  # no document that a person or a program wrote for Kubernetes comes near
_SUSPECT = 2_000  # fewer brackets and shorter lines cannot nest deep enough to hurt the reader, which is recursive
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class NotYamlError(Exception):
    """Tell at which line a text stops being YAML, and why; line 0 when nobody knows."""

    def __init__(self, message: str, line: int, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.hint = hint


def documents(data: bytes) -> Iterator[tuple[int, yaml.Node]]:
    """Give each document that is not empty with its number, counted from 1; raises NotYamlError where it breaks.

    What stands before the broken place has been given by then. JSON is YAML, but for two halves of one sign.
    """
    import yaml  # noqa: PLC0415 - only a build needs it

    text = _PAIR.sub(_joined, data.decode()).encode() if rb"\ud" in data.lower() and _is_utf8(data) else data
    try:
        _check_depth(text)
        for number, document in enumerate(yaml.compose_all(text, Loader=_loader()), 1):
            if not (isinstance(document, yaml.ScalarNode) and scalar(document) is None):
                yield number, document
    except yaml.YAMLError as error:
        raise _explained(error, text) from error


def entries(node: yaml.MappingNode, *, within: int = 5) -> dict[str, yaml.Node]:
    """Give the fields of a mapping by name, with those that `<<` brings in from elsewhere; its own come first."""
    own: dict[str, yaml.Node] = {}
    merged: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if key.value == "<<" and within:
            for other in value.value if is_sequence(value) else [value]:
                if is_mapping(other):
                    merged = {**entries(other, within=within - 1), **merged}
        elif isinstance(key.value, str):
            own[key.value] = value
    return {**merged, **own} if merged else own


def is_mapping(node: yaml.Node | None) -> TypeGuard[yaml.MappingNode]:
    """Tell whether a node is a mapping."""
    return getattr(node, "id", "") == "mapping"  # cheaper than an import and isinstance, a million times


def is_sequence(node: yaml.Node | None) -> TypeGuard[yaml.SequenceNode]:
    """Tell whether a node is a list."""
    return getattr(node, "id", "") == "sequence"


def scalar(node: yaml.Node | None) -> str | None:
    """Give the text of a scalar; None for anything else, and for null."""
    if getattr(node, "id", "") != "scalar" or node is None:
        return None
    value: str = node.value
    return None if value in _NULL and not getattr(node, "style", None) else value


def text_at(fields: Mapping[str, yaml.Node], name: str) -> str:
    """Give the text of a field; "" when it is missing, null, or no scalar."""
    return scalar(fields.get(name)) or ""


def line_of(node: yaml.Node, *, part: str = "") -> int:
    """Give the line at which a node begins, counted from 1, or in a block of text the line that holds a part of it."""
    line: int = node.start_mark.line + 1
    if part and getattr(node, "style", None) == "|":
        text: str = node.value
        return line + 1 + text[: text.find(part)].count("\n")
    return line


@functools.cache
def _loader() -> Any:
    """Make a reader that takes every scalar for the text that was typed, and does not ask what it might mean."""
    import yaml  # noqa: PLC0415

    fast: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

    def nothing(*_: object) -> None:
        """Do none of what finds out the tags of nodes; a tenth of the time goes into it."""

    return type("_TextLoader", (fast,), {"descend_resolver": nothing, "ascend_resolver": nothing, "resolve": nothing})


def _joined(found: re.Match[str]) -> str:
    """Make one sign of the two halves in which JSON writes signs beyond the first 65,536."""
    high, low = int(found[2], 16), int(found[3], 16)
    return f"{found[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_depth(data: bytes) -> None:
    """Refuse what nests without end before nodes are made of it, which costs stack by level."""
    import yaml  # noqa: PLC0415

    longest = max(map(len, data.split(b"\n")), default=0)
    if data.count(b"[") + data.count(b"{") < _SUSPECT and longest < _SUSPECT:
        return
    depth = 0
    for event in yaml.parse(data, Loader=_loader()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise NotYamlError("too many levels stand in each other", line, hint="write it flatter")


def _explained(error: yaml.YAMLError, data: bytes) -> NotYamlError:
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # signs that no text has
        position = getattr(error, "position", 0)
        line = data[:position].count(b"\n") + 1 if isinstance(position, int) else 0
        return NotYamlError("not valid YAML: signs that no text has", line, hint="save it as UTF-8 text")
    lines = data.decode("utf-8", "replace").split("\n")
    around = lines[max(0, mark.line - 1) : mark.line + 1]
    problem = getattr(error, "problem", None) or str(error)
    message = f"not valid YAML: {problem}"
    if any("{{" in line for line in around):
        return NotYamlError(message, mark.line + 1, hint="a file of Go templates is called '.tmpl'")
    if any(line.lstrip(" ").startswith("\t") for line in around):
        return NotYamlError(message, mark.line + 1, hint="indent by blanks: YAML knows no tabs")
    return NotYamlError(message, mark.line + 1, hint="mend it: Kubernetes would refuse it too")
