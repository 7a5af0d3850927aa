"""Which plugin types there are, and where the code of each is."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path, PurePosixPath

from sealpy.errors import Place, PluginError, Problem, counted, did_you_mean, known_words
from sealpy.plugin.declaration import Declaration, read_declaration

__all__ = ["CONTRACT", "BuiltIn", "Code", "Installed", "PluginType", "Registry", "SourceFile", "discover"]

CONTRACT = "phase/v1"
_GROUP = "sealpy.phases"
_WHEEL = "sealpy._builtin_plugins"
_CHECKOUT = "builtin_plugins"  # in a checkout the directory lies beside the package, not in it


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """Name a module of ours; its code runs in this process."""

    module: str

    def __str__(self) -> str:
        return "built in"


@dataclass(frozen=True, slots=True)
class Installed:
    """Name what another distribution registered; its code runs in a process of its own."""

    module: str
    attribute: str
    distribution: str

    def __str__(self) -> str:
        return f"{self.distribution} ({self.module}:{self.attribute})"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Hold a Python file; its code runs in a process of its own."""

    path: str
    content: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Give the file's name without its directory."""
        return PurePosixPath(self.path).name

    def __str__(self) -> str:
        return self.path


Code = BuiltIn | Installed | SourceFile


@dataclass(frozen=True)
class PluginType:
    """Hold one implementation of a type: where its code is, its digest, what it says of itself."""

    type: str
    code: Code
    source: bytes = field(repr=False)  # empty for what is installed in a way that hides it

    @cached_property
    def digest(self) -> str:
        """Give the sha256 of the code."""
        return f"sha256:{hashlib.sha256(self.source or str(self.code).encode()).hexdigest()}"

    @cached_property
    def declaration(self) -> Declaration:
        """Give what the code says of itself; raises PluginError."""
        attribute = self.code.attribute if isinstance(self.code, Installed) else "Plugin"
        return read_declaration(str(self.code), self.source, type_=self.type, attribute=attribute)


@dataclass(frozen=True, slots=True)
class Registry:
    """Find the implementation of a type; one contract so far, `phase/v1`."""

    types: Mapping[tuple[str, str], PluginType]
    shared_objects: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[PluginType]:
        """Go through the types by name."""
        return iter(sorted(self.types.values(), key=lambda found: found.type))

    def find(self, name: str) -> PluginType:
        """Give a type by its name, in whatever case it is written; raises PluginError with the nearest name."""
        if found := self.types.get((CONTRACT, name)):
            return found
        folded = [found for found in self if found.type.casefold() == name.casefold()]
        if len(folded) == 1:
            return folded[0]
        if self.shared_objects:
            raise PluginError(
                f"type '{name}' is not known, and {self.shared_objects[0]} is a Go plugin, which cannot be loaded",
                hint=f'write it in Python: a file with PluginType = "{name}" and Plugin, beside its YAML',
            )
        types = [found.type for found in self]
        raise PluginError(f"type '{name}' is not known", hint=did_you_mean(name, types) or known_words(types))


def discover(files: Iterable[tuple[str, bytes]] = ()) -> Registry:
    """Find every type: built in, installed, and in these files (path and content) of an image or a directory.

    Runs no code of any of them. One digest met twice is one type; raises one PluginError with all files that are no
    plugin and all types that two different sources claim.
    """
    problems: list[Problem] = []
    found: dict[tuple[str, str], PluginType] = {}
    shared: list[str] = []
    for candidate in (*_registered(), *_sources(files, shared, problems)):
        key = (CONTRACT, candidate.type)
        other = found.setdefault(key, candidate)
        if other.digest != candidate.digest:
            problems.append(_claimed_twice(other, candidate))
    if problems:
        raise PluginError(f"{counted(len(problems), 'problem')} with plugin files", problems=problems)
    return Registry(found, tuple(shared))


def _sources(files: Iterable[tuple[str, bytes]], shared: list[str], problems: list[Problem]) -> Iterator[PluginType]:
    for path, content in files:
        match PurePosixPath(path).suffix:
            case ".py":
                try:
                    declaration = read_declaration(path, content)
                except PluginError as error:
                    problems.append(Problem(error.message, hint=error.hint))
                else:
                    yield PluginType(declaration.type, SourceFile(path, content), content)
            case ".so":
                shared.append(path)
            case _:
                pass


def _claimed_twice(one: PluginType, other: PluginType) -> Problem:
    place = Place(other.code.path) if isinstance(other.code, SourceFile) else None
    return Problem(
        f"type '{one.type}' has two different implementations: {one.code} and {other.code}",
        place,
        hint="give one of them another PluginType, or take it away",
    )


def _registered() -> Iterator[PluginType]:
    for entry in entry_points(group=_GROUP):
        distribution = entry.dist.name if entry.dist else "an unnamed distribution"
        if entry.module.startswith(f"{_WHEEL}."):
            yield _built_in(entry)
        else:
            code = Installed(entry.module, entry.attr, distribution)
            yield PluginType(entry.name, code, _installed_source(entry))


def _built_in(entry: EntryPoint) -> PluginType:
    package = _WHEEL if importlib.util.find_spec(_WHEEL) else _CHECKOUT
    module = entry.module.replace(_WHEEL, package, 1)
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise PluginError(f"built-in plugin '{entry.name}' is missing", hint="install sealpy again")
    return PluginType(entry.name, BuiltIn(module), Path(spec.origin).read_bytes())


def _installed_source(entry: EntryPoint) -> bytes:
    """Read the module's file where the distribution put it; importing it would run the code."""
    if entry.dist is None:
        return b""
    relative = entry.module.replace(".", "/")
    for name in (f"{relative}.py", f"{relative}/__init__.py"):
        path = Path(str(entry.dist.locate_file(name)))
        if path.is_file():
            return path.read_bytes()
    return b""
