"""Look for plugin types: built in, installed, and in files. Nothing of what is found is run."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path, PurePosixPath

from sealpy import __version__
from sealpy.errors import Place, PluginError, Problem, counted, problems_of
from sealpy.plugin.code import BuiltIn, Installed, Program, SourceFile, ZipApp
from sealpy.plugin.declaration import read_declaration
from sealpy.plugin.manifest import SUFFIX, read_manifest
from sealpy.plugin.registry import PluginType, Registry, register

__all__ = ["EXECUTABLE", "discover", "is_document", "survey"]

_GROUP = "sealpy.phases"
_WHEEL = "sealpy._builtin_plugins"
_CHECKOUT = "builtin_plugins"  # in a checkout the directory lies beside the package, not in it
_MAIN = "__main__.py"
EXECUTABLE = (b"#!", b"\x7fELF")


def discover(files: Iterable[tuple[str, bytes]] = ()) -> Registry:
    """Find every type: built in, installed, and in these files (path and content) of an image or a directory.

    Raises one PluginError with all files that are no plugin and all types that two different sources claim.
    """
    registry, problems = survey(files)
    if problems:
        raise PluginError(f"{counted(len(problems), 'problem')} with plugin files", problems=problems)
    return registry


def survey(files: Iterable[tuple[str, bytes]] = (), *, unseen: str = "") -> tuple[Registry, Sequence[Problem]]:
    """Find every type likewise, and everything that is wrong; `unseen` names an image that has files, too."""
    found = _Files(dict(files))
    types = register((*_registered(), *found.types()), found.problems)
    return Registry(types, tuple(found.shared), tuple(found.others), unseen), found.problems


def is_document(path: str) -> bool:
    """Tell whether a file of a plugin directory holds documents of kind Plugin."""
    return path.endswith((".yaml", ".yml")) and not path.endswith(SUFFIX)


@dataclass(slots=True)
class _Files:
    """Sort the files of plugin directories, by path."""

    files: Mapping[str, bytes]
    problems: list[Problem] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def types(self) -> Iterator[PluginType]:
        for path, content in self.files.items():
            try:
                yield from self._types(path, content)
            except PluginError as error:
                self.problems.extend(problems_of(error))

    def _types(self, path: str, content: bytes) -> Iterator[PluginType]:
        match PurePosixPath(path).suffix:
            case ".py":
                declaration = read_declaration(path, content)
                yield PluginType(declaration.type, SourceFile(path, content), content, version=declaration.version)
            case ".pyz":
                source = _main_of(path, content)
                declaration = read_declaration(f"{path}/{_MAIN}", source)
                yield PluginType(declaration.type, ZipApp(path, content), source, version=declaration.version)
            case ".so":
                self.shared.append(path)
            case ".whl":
                raise PluginError(
                    "a wheel is installed, not copied", place=Place(path), hint="pip install it beside sealpy"
                )
            case _ if path.endswith(SUFFIX):
                yield from self._program(path, content)
            case _ if not is_document(path) and path + SUFFIX not in self.files:
                self._other(path, content)

    def _program(self, path: str, content: bytes) -> Iterator[PluginType]:
        """Find the executable that a manifest is about."""
        program = path.removesuffix(SUFFIX)
        declarations = read_manifest(path, content)
        if program not in self.files:
            raise PluginError(
                "there is no executable for this manifest", place=Place(path), hint=f"put {program} beside it"
            )
        if not self.files[program].startswith(EXECUTABLE):
            raise PluginError(
                "neither a script that begins with '#!' nor a program for Linux",
                place=Place(program),
                hint="the first line of a script names its interpreter, such as #!/bin/sh",
            )
        for declaration in declarations:
            code = Program(program, self.files[program])
            yield PluginType(declaration.type, code, b"", declaration, declaration.version)

    def _other(self, path: str, content: bytes) -> None:
        if content.startswith(b"\x7fELF"):
            raise PluginError(
                "nothing says which type this program implements",
                place=Place(path),
                hint=f"put its manifest beside it, as {PurePosixPath(path).name}{SUFFIX}",
            )
        self.others.append(path)  # what plugins read, or a script that they call


def _main_of(path: str, content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read(_MAIN)
    except zipfile.BadZipFile as error:
        raise PluginError("no zip archive", place=Place(path), hint="make it by python3 -m zipapp") from error
    except KeyError as error:
        raise PluginError(
            f"no {_MAIN} in the archive", place=Place(path), hint="its two names are PluginType and Plugin"
        ) from error


def _registered() -> Iterator[PluginType]:
    for entry in entry_points(group=_GROUP):
        if entry.module.startswith(f"{_WHEEL}."):
            yield _built_in(entry)
        else:
            distribution = entry.dist.name if entry.dist else "an unnamed distribution"
            code = Installed(entry.module, entry.attr, distribution)
            of = entry.dist.version if entry.dist else ""
            yield PluginType(entry.name, code, _installed_source(entry), version=of)


def _built_in(entry: EntryPoint) -> PluginType:
    package = _WHEEL if importlib.util.find_spec(_WHEEL) else _CHECKOUT
    module = entry.module.replace(_WHEEL, package, 1)
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise PluginError(f"built-in plugin '{entry.name}' is missing", hint="install sealpy again")
    return PluginType(entry.name, BuiltIn(module), Path(spec.origin).read_bytes(), version=__version__)


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
