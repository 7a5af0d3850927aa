"""Find the container images that the files of a cluster image mention.

`manifests/imageList` holds one reference a line. YAML is read as YAML: `image:` of every mapping in a list called
`containers`, `initContainers` or `ephemeralContainers`, at any depth. Images of helm charts, of custom resources and
in arguments are not searched for: list them in `manifests/imageList`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sealpy.errors import BadReferenceError, ImageError, Place, Problem
from sealpy.image.metadata import APP_ROOT
from sealpy.image.reference import Reference

if TYPE_CHECKING:
    import yaml

__all__ = ["IMAGE_LIST", "Mention", "is_scanned", "mentions"]

IMAGE_LIST = "manifests/imageList"
_POD_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers"})
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Mention:
    """Say where a container image is mentioned, and in the files of which app ("" for none)."""

    reference: Reference
    place: Place
    app: str = ""


def is_scanned(path: str) -> bool:
    """Tell whether a file of the rootfs, by its path, is searched for container images."""
    return path == IMAGE_LIST or (path.startswith(("manifests/", f"{APP_ROOT}/")) and path.endswith(_YAML))


def mentions(path: str, data: bytes, *, shown: str = "") -> tuple[list[Mention], list[Problem]]:
    """Find what a file mentions, and what in it is wrong; `shown` is the name of the file in messages."""
    found: list[Mention] = []
    problems: list[Problem] = []
    app = path.removeprefix(f"{APP_ROOT}/").partition("/")[0] if path.startswith(f"{APP_ROOT}/") else ""
    try:
        for line, text in _listed(data) if path == IMAGE_LIST else _in_yaml(data):
            place = Place(shown or path, line)
            try:
                found.append(Mention(Reference.parse(text), place, app))
            except BadReferenceError as error:
                problems.append(Problem(error.message, place, error.hint))
    except _NotYamlError as error:
        hint = "Kubernetes would refuse it too; a file of Go templates is called '.tmpl'"
        problems.append(Problem(error.message, Place(shown or path, error.line), hint))
    return found, problems


class _NotYamlError(ImageError):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _listed(data: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        text = line.partition(" #")[0].strip()
        if text and not text.startswith("#"):
            yield number, text


def _in_yaml(data: bytes) -> Iterator[tuple[int, str]]:
    import yaml  # noqa: PLC0415 - only a build needs it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for document in yaml.compose_all(data, Loader=loader):
            if document is not None:
                yield from _images([document], set())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise _NotYamlError(f"not valid YAML: {problem}", mark.line + 1 if mark else 0) from error


def _images(nodes: Iterable[yaml.Node], seen: set[int]) -> Iterator[tuple[int, str]]:
    import yaml  # noqa: PLC0415

    for node in nodes:
        if id(node) in seen:
            continue  # an alias: the same node again, perhaps its own parent
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            yield from _images(node.value, seen)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if _is(key, _POD_LISTS) and isinstance(value, yaml.SequenceNode):
                    yield from _of_containers(value.value)
                yield from _images([value], seen)


def _of_containers(containers: Iterable[yaml.Node]) -> Iterator[tuple[int, str]]:
    import yaml  # noqa: PLC0415

    for container in containers:
        if isinstance(container, yaml.MappingNode):
            for key, value in container.value:
                if _is(key, {"image"}) and isinstance(value, yaml.ScalarNode) and value.value:
                    yield value.start_mark.line + 1, value.value


def _is(key: yaml.Node, words: Collection[str]) -> bool:
    return isinstance(key.value, str) and key.value in words
