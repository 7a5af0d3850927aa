"""YAML text → documents whose every value knows its line.

Scalars stay the text that was typed: `0123` and `yes` are a password, not 83 and true. What a text means is decided by
the field it is for. Only documents for kubeadm, whose fields are not ours, are read by the core schema of YAML 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from sealpy.clusterfile.change import Changes, is_option
from sealpy.clusterfile.syntax import syntax_problem
from sealpy.errors import Place, Problem

__all__ = [
    "Document",
    "Location",
    "Part",
    "Tree",
    "UnreadableError",
    "core_scalar",
    "is_endless",
    "plain_mapping",
    "plain_value",
    "read_documents",
]

Location = tuple[str | int, ...]
Tree = str | list["Tree"] | dict[str, "Tree"] | None

_MOST_NODES = 100_000  # aliases of aliases can make a small file huge
_DEEPEST = 100  # no document that a person wrote comes near
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = "tag:yaml.org,2002:"
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Hold one document: as text (`tree`), as plain data (`values`), and the place of every location in it."""

    tree: Mapping[str, Tree]
    node: yaml.MappingNode
    file: str
    line: int
    places: Mapping[Location, Place]
    quoted: frozenset[Location] = field(default=frozenset())  # keys that stand in quotes
    problems: tuple[Problem, ...] = ()

    def place(self, location: Location = ()) -> Place:
        """Give the line of a location, or of the nearest thing around it that is written."""
        while location and location not in self.places:
            location = location[:-1]
        return self.places.get(location, Place(self.file, self.line))

    def part(self, location: Location) -> Part:
        """Give a part, which knows its place."""
        return Part(self, location)

    def text_of(self, *keys: str) -> str:
        """Give a scalar by its keys; "" when it is not there or no scalar."""
        value: Tree | Mapping[str, Tree] = self.tree
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else ""

    def with_text_at(self, key: str, inner: str) -> Document:
        """Take a mapping that stands where a text is expected for the text of that mapping."""
        outer = self.tree.get(key)
        if not isinstance(outer, dict) or not isinstance(outer.get(inner), dict):
            return self
        node = _value_node(_value_node(self.node, key), inner)
        text = yaml.serialize(node, allow_unicode=True)
        return replace(self, tree={**self.tree, key: {**outer, inner: text}})


@dataclass(frozen=True, slots=True)
class Part:
    """Say where a part of a document stands."""

    document: Document
    location: Location

    @property
    def place(self) -> Place:
        """Give the line."""
        return self.document.place(self.location)

    def at(self, *parts: str | int) -> Part:
        """Give what stands in it."""
        return Part(self.document, (*self.location, *parts))


def _value_node(node: yaml.Node, key: str) -> yaml.Node:
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    return next(value for name, value in pairs if name.value == key)


class UnreadableError(Exception):
    """Tell that a text is no YAML, or no documents; after that nothing more can be said about it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_documents(text: str, *, name: str, changes: Changes) -> Iterator[Document]:
    """Read all documents that hold anything, with changes made; raises UnreadableError, or ConfigError for a change."""
    for node in changes.applied(_compose(text, name)):
        if isinstance(node, yaml.ScalarNode) and _is_null(node):
            continue
        if not isinstance(node, yaml.MappingNode):
            hint = "a document begins with `apiVersion:`, `kind:` and `metadata:`"
            message = f"{_kind(node)} stands where a document is expected"
            raise UnreadableError(Problem(message, Place(name, node.start_mark.line + 1), hint))
        yield _Reader(name).document(node)


def _compose(text: str, name: str) -> list[yaml.Node]:
    try:
        _check_depth(text, name)
        return list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise UnreadableError(syntax_problem(error, text, name)) from None


def _check_depth(text: str, name: str) -> None:
    """Refuse what nests without end before nodes are made, which costs stack by level."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            place = Place(name, event.start_mark.line + 1 if event.start_mark else 0)
            raise UnreadableError(Problem("too many levels stand in each other", place, "write it flatter"))


class _Reader:
    """Turn the nodes of one document into text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._places: dict[Location, Place] = {}
        self._quoted: set[Location] = set()
        self._problems: list[Problem] = []
        self._open: set[int] = set()  # nodes that are being read, to find one that holds itself
        self._count = 0

    def document(self, node: yaml.MappingNode) -> Document:
        return Document(
            tree=self._mapping(node, ()),
            node=node,
            file=self._name,
            line=node.start_mark.line + 1,
            places=self._places,
            quoted=frozenset(self._quoted),
            problems=tuple(self._problems),
        )

    def _tree(self, node: yaml.Node, at: Location) -> Tree:
        self._places.setdefault(at, self._place(node))
        self._count += 1
        if id(node) in self._open or self._count > _MOST_NODES:
            raise UnreadableError(Problem("an alias makes it endless", self._place(node), "write out what is meant"))
        self._open.add(id(node))
        match node:
            case yaml.MappingNode():
                tree: Tree = dict(self._mapping(node, at))
            case yaml.SequenceNode():
                tree = [self._tree(item, (*at, index)) for index, item in enumerate(node.value)]
            case _:
                tree = self._scalar(node)
        self._open.discard(id(node))
        return tree

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Tree]:
        tree: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            location = (*at, key)
            if key in tree:
                message = f"key '{key}' stands twice (first on line {self._places[location].line})"
                self._problem(key_node, message, "remove one of the two")
                continue
            option = is_option(value_node.start_mark)
            self._places[location] = self._place(value_node if option else key_node)
            if key_node.style:
                self._quoted.add(location)
            tree[key] = self._tree(value_node, location)
        return tree

    def _key(self, node: yaml.Node) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self._problem(node, f"{_kind(node)} stands where a key is expected", "is this a template? fill it in first")
        return None

    def _scalar(self, node: yaml.Node) -> str | None:
        if not node.tag.startswith(_TAGS):
            self._problem(node, f"tag '{node.tag}' is not known here", "remove it")
        return None if _is_null(node) else str(node.value)

    def _problem(self, node: yaml.Node, message: str, hint: str) -> None:
        self._problems.append(Problem(message, self._place(node), hint))

    def _place(self, node: yaml.Node) -> Place:
        mark = node.start_mark
        return Place(mark.name if is_option(mark) else self._name, mark.line + 1)


def is_endless(node: yaml.Node) -> bool:
    """Tell whether a node holds itself by an alias, or unfolds to more than anyone writes."""
    sizes: dict[int, int] = {}

    def size(one: yaml.Node) -> int:
        if id(one) not in sizes:
            sizes[id(one)] = _MOST_NODES + 1  # as long as it is open: whoever meets it again is within it
            sizes[id(one)] = 1 + sum(map(size, _below(one)))
        return sizes[id(one)]

    return size(node) > _MOST_NODES


def _below(node: yaml.Node) -> Iterator[yaml.Node]:
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                yield key
                yield value
        case yaml.SequenceNode():
            yield from node.value


def plain_mapping(node: yaml.MappingNode) -> dict[str, object]:
    """Read a mapping by the core schema of YAML 1.2: texts, numbers, truth values, null, lists and mappings."""
    return {str(key.value): plain_value(value) for key, value in node.value}


def plain_value(node: yaml.Node) -> object:
    """Read a node by the core schema of YAML 1.2."""
    match node:
        case yaml.MappingNode():
            return plain_mapping(node)
        case yaml.SequenceNode():
            return [plain_value(item) for item in node.value]
        case _:
            return node.value if node.style else core_scalar(node.value)  # type: ignore[attr-defined] # a ScalarNode


def core_scalar(text: str) -> str | int | float | bool | None:
    """Read an unquoted scalar by the core schema of YAML 1.2."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and bool(_NULL.fullmatch(node.value))


def _kind(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case _:
            return f"'{node.value[:40]}'"
