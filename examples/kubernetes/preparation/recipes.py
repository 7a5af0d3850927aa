"""Read versions.toml and recipes.toml into types: what is to be made, from what, and where it goes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sealpy.errors import ConfigError, Place, Problem

__all__ = [
    "CProgram",
    "Component",
    "ContainerImage",
    "DebianPrograms",
    "GoModules",
    "GoProgram",
    "Recipes",
    "Release",
    "Source",
    "load",
]


_Model = TypeVar("_Model", bound=BaseModel)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class GoModules(_Table):
    """Build programs from published Go modules with the ordinary Go client."""

    kind: Literal["go-modules"]
    modules: tuple[str, ...]
    programs: Mapping[str, str]  # name of the program → its main package
    sisters: str = ""  # version of the modules that the first one's go.mod points at its own folders
    replace: Mapping[str, str] = {}  # module → the version to take whatever is asked for
    linking: Literal["static", "static-cgo"] = "static"
    tags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # packages of Debian that hold what cgo links with


class GoProgram(_Table):
    """Build our own Go program, which uses the standard library alone."""

    kind: Literal["go"]
    directory: Path


class CProgram(_Table):
    """Build our own C program of one file."""

    kind: Literal["c"]
    file: Path


class DebianPrograms(_Table):
    """Take programs, and all libraries they load, from Debian packages into a small root filesystem."""

    kind: Literal["debian"]
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    plugins: tuple[str, ...]  # directories of libraries that are opened by name
    links: Mapping[str, tuple[str, ...]]


Source = Annotated[GoModules | GoProgram | CProgram | DebianPrograms, Field(discriminator="kind")]


class Release(_Table):
    """Take programs from a release site: one file each, or (`member`) out of one archive."""

    url: str
    checksum: str = ""  # address of a file with SHA-256 sums
    sha256: Mapping[str, str] = {}  # architecture → sum, where no such file is published
    member: str = ""


class Component(_Table):
    """Name a part that is made at once and kept in the cache by its version."""

    name: str
    version: str
    source: Source
    release: Release | None = None

    @property
    def programs(self) -> tuple[str, ...]:
        """Give the names of the files this component consists of; none if it is a whole filesystem."""
        match self.source:
            case GoModules(programs=programs):
                return tuple(programs)
            case GoProgram() | CProgram():
                return (self.name,)
            case DebianPrograms():
                return ()


class ContainerImage(_Table):
    """Describe a container image: one layer of programs, above a filesystem that several images may share."""

    reference: str
    files: Mapping[str, str]  # path in the image → "component/program"
    base: str = ""
    entrypoint: tuple[str, ...] = ()
    user: str = ""


class _RecipesFile(_Table):
    components: Mapping[str, Mapping[str, Any]]
    container_images: tuple[ContainerImage, ...] = Field(alias="container-images")
    rootfs: Mapping[str, str]


class Recipes(_Table):
    """Hold everything the base image consists of, with all versions filled in."""

    versions: Mapping[str, str]
    components: Mapping[str, Component]
    container_images: tuple[ContainerImage, ...]
    rootfs: Mapping[str, str]  # path in the rootfs → "component/program"


def load(recipes: Path, versions: Path, *, arch: str) -> Recipes:
    """Read both files; raises ConfigError with every problem found."""
    numbers = _versions(versions)
    file = _model(_RecipesFile, _toml(recipes), recipes)
    components = {
        name: _component(name, _version(numbers, name, versions), table, arch=arch, file=recipes)
        for name, table in file.components.items()
    }
    images = tuple(
        image.model_copy(update={"reference": _fill(image.reference, numbers, recipes)})
        for image in file.container_images
    )
    result = Recipes(versions=numbers, components=components, container_images=images, rootfs=file.rootfs)
    _check_uses(result, recipes)
    return result


def _component(name: str, version: str, table: Mapping[str, Any], *, arch: str, file: Path) -> Component:
    parts = [*version.split("."), "", ""]
    values = {"version": version, "arch": arch, "major": parts[0], "minor": parts[1], "patch": parts[2]}
    later = {"program": "{program}", "url": "{url}"}  # known only when a program is fetched
    filled = _fill_all(table, values | later, file)
    return _model(Component, {**filled, "name": name, "version": version}, file, within=f"components.{name}")


def _fill_all(value: Any, values: Mapping[str, str], file: Path) -> Any:
    match value:
        case str():
            return _fill(value, values, file)
        case list():
            return [_fill_all(one, values, file) for one in value]
        case dict():
            return {key: _fill_all(one, values, file) for key, one in value.items()}
        case _:
            return value


def _fill(text: str, values: Mapping[str, str], file: Path) -> str:
    try:
        return text.format_map(values)
    except (KeyError, ValueError, IndexError) as error:
        hint = f"known here are {', '.join(sorted(values))}"
        raise ConfigError(f"{text!r}: cannot be filled: {error}", place=Place(file), hint=hint) from error


def _check_uses(recipes: Recipes, file: Path) -> None:
    uses = [*recipes.rootfs.values(), *(use for image in recipes.container_images for use in image.files.values())]
    known = {f"{name}/{program}" for name, component in recipes.components.items() for program in component.programs}
    problems = [Problem(f"program {use!r} is made by no component", Place(file)) for use in uses if use not in known]
    problems += [
        Problem(f"base {image.base!r} of {image.reference} is no component", Place(file))
        for image in recipes.container_images
        if image.base and image.base not in recipes.components
    ]
    if problems:
        raise ConfigError(f"{file}: {len(problems)} problem(s)", problems=problems)


def _versions(path: Path) -> dict[str, str]:
    table = _toml(path)
    problems = [
        Problem(f"version of {name!r} is {value!r}, not text", Place(path))
        for name, value in table.items()
        if not isinstance(value, str) or not value
    ]
    if problems:
        raise ConfigError(f"{path}: {len(problems)} problem(s)", problems=problems, hint='write name = "1.2.3"')
    return table


def _version(versions: Mapping[str, str], name: str, file: Path) -> str:
    try:
        return versions[name]
    except KeyError:
        raise ConfigError(f"version of {name!r} is missing", place=Place(file), hint=f'add {name} = "…"') from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file", hint="give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", place=Place(path)) from error


def _model(kind: type[_Model], table: Mapping[str, Any], file: Path, *, within: str = "") -> _Model:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        problems = [
            Problem(f"{'.'.join([*filter(None, [within]), *map(str, one['loc'])])}: {one['msg'].lower()}", Place(file))
            for one in error.errors()
        ]
        raise ConfigError(f"{file}: {len(problems)} problem(s)", problems=problems) from error
