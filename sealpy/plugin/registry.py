"""Which plugin types there are, and where the code of each is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sealpy.errors import Place, PluginError, Problem, did_you_mean, known_words, nearest
from sealpy.plugin.code import BuiltIn, Code, Installed, Program, SourceFile, ZipApp
from sealpy.plugin.declaration import Declaration, read_declaration

__all__ = ["CONTRACT", "PluginType", "Registry", "TypeUnseenError", "register"]

CONTRACT = "phase/v1"


class TypeUnseenError(PluginError):
    """Tell that nobody can say whether a type is known; stays inside this package."""


@dataclass(frozen=True)
class PluginType:
    """Hold one implementation of a type: where its code is, its digest, what it says of itself.

    `source` is the Python in which it does so, and empty for what is installed in a way that hides it; what an
    executable says stands in its manifest and is `declared` already.
    """

    type: str
    code: Code
    source: bytes = field(repr=False)
    declared: Declaration | None = None
    version: str = ""

    @cached_property
    def digest(self) -> str:
        """Give the sha256 of the code."""
        match self.code:
            case SourceFile(content=content) | ZipApp(content=content) | Program(content=content):
                data = content
            case BuiltIn() | Installed():
                data = self.source or str(self.code).encode()
        return f"sha256:{hashlib.sha256(data).hexdigest()}"

    @cached_property
    def declaration(self) -> Declaration:
        """Give what the code says of itself; raises PluginError."""
        if self.declared:
            return self.declared
        attribute = self.code.attribute if isinstance(self.code, Installed) else "Plugin"
        return read_declaration(str(self.code), self.source, type_=self.type, attribute=attribute)


@dataclass(frozen=True, slots=True)
class Registry:
    """Find the implementation of a type; one contract so far, `phase/v1`.

    `shared_objects` are plugins in Go, which cannot be loaded; `others` are files that are neither plugin nor document.
    `unseen` names an image whose files could not be looked at.
    """

    types: Mapping[tuple[str, str], PluginType]
    shared_objects: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    unseen: str = ""

    def __iter__(self) -> Iterator[PluginType]:
        """Go through the types by name."""
        return iter(sorted(self.types.values(), key=lambda found: found.type))

    def nearest(self, name: str) -> PluginType | None:
        """Give the type whose name is most like this one; None when no name is."""
        return self.types.get((CONTRACT, nearest(name, [found.type for found in self])))

    def find(self, name: str) -> PluginType:
        """Give a type by its name, in whatever case it is written; raises PluginError with the nearest name.

        It is a TypeUnseenError when the image that could not be looked at may bring the type.
        """
        if found := self.types.get((CONTRACT, name)):
            return found
        folded = [found for found in self if found.type.casefold() == name.casefold()]
        if len(folded) == 1:
            return folded[0]
        types = [found.type for found in self]
        if near := did_you_mean(name, types):
            raise PluginError(f"type '{name}' is not known", hint=near)
        if self.shared_objects:
            raise PluginError(
                f"type '{name}' is not known, and {self.shared_objects[0]} is a Go plugin, which cannot be loaded",
                hint=f'write it in Python: a file with PluginType = "{name}" and Plugin, beside its YAML',
            )
        if self.unseen:
            message = f"type '{name}' cannot be checked: image '{self.unseen}', which is not here, may bring it"
            raise TypeUnseenError(message, hint=known_words(types))
        others = f"{known_words(types)}; a directory of plugins is named by --plugins-dir"
        raise PluginError(f"type '{name}' is not known", hint=others)


def register(candidates: Iterable[PluginType], problems: list[Problem]) -> Mapping[tuple[str, str], PluginType]:
    """Register every candidate; a type that two sources claim is a problem. One digest met twice is one type."""
    found: dict[tuple[str, str], PluginType] = {}
    for candidate in candidates:
        other = found.setdefault((CONTRACT, candidate.type), candidate)
        if other.digest != candidate.digest:
            problems.append(_claimed_twice(other, candidate))
    return found


def _claimed_twice(one: PluginType, other: PluginType) -> Problem:
    place = None if isinstance(other.code, BuiltIn | Installed) else Place(other.code.path)
    return Problem(
        f"type '{one.type}' has two different implementations: {one.code} and {other.code}",
        place,
        hint="give one of them another PluginType, or take it away",
    )
