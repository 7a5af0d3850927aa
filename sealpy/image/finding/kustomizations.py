"""Kustomizations of an image, rendered by kustomize: what stands in their files is not yet what is applied."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sealpy.errors import Place, Problem
from sealpy.image.finding.documents import (
    NotYamlError,
    documents,
    entries,
    is_mapping,
    is_sequence,
    line_of,
    scalar,
    text_at,
)
from sealpy.image.finding.launching import is_address
from sealpy.image.finding.programs import KUSTOMIZE, ProgramFailedError, command_of, run
from sealpy.image.finding.rootfs import SEARCHED, Rootfs

if TYPE_CHECKING:
    import yaml

__all__ = ["kustomizations_in", "origin_of", "render", "roots_of"]

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_BASES = ("resources", "bases", "components")
_ORIGIN = "config.kubernetes.io/origin"


def kustomizations_in(rootfs: Rootfs) -> dict[str, str]:
    """Map each directory of the rootfs that is a kustomization to the file that makes it one."""
    return {posixpath.dirname(path): path for path in rootfs if posixpath.basename(path) in _NAMES and "/" in path}


def roots_of(found: Mapping[str, str], rootfs: Rootfs) -> list[str]:
    """List the kustomizations, where manifests are, that no other one builds upon."""
    used = {base for directory, file in found.items() for base, _ in _bases(rootfs, file) if base != directory}
    return sorted(path for path in set(found) - used if f"{path}/".startswith(SEARCHED))


def render(path: str, found: Mapping[str, str], rootfs: Rootfs, directory: Path) -> tuple[bytes, list[Problem]]:
    """Let kustomize make manifests of a kustomization: give them, or what is wrong; `directory` holds the files."""
    shown = rootfs.shown(found[path])
    if problems := list(_remote(found, rootfs)):
        return b"", problems
    command = command_of(KUSTOMIZE, needed_for=f"kustomization {shown}")
    if command[-1] != "kustomize" or len(command) == 1:
        command.append("build")
    file = directory / found[path]
    text = file.read_text("utf-8")
    if "buildMetadata:" not in text:  # so that each resource says which file it comes from
        file.write_text(f"{text.rstrip()}\nbuildMetadata: [originAnnotations]\n", "utf-8")
    try:
        return run([*command, str(file.parent)], cwd=directory), []
    except ProgramFailedError as error:
        said = str(error).replace(f"{directory}/", "")
        hint = f"try it yourself: kubectl kustomize {posixpath.dirname(shown) or '.'}"
        return b"", [Problem(f"kustomize: {said}", Place(shown), hint)]
    finally:
        file.write_text(text, "utf-8")


def origin_of(document: yaml.Node, path: str) -> str:
    """Give the file that a resource comes from, as kustomize notes it; the kustomization itself where it does not."""
    metadata = entries(document).get("metadata") if is_mapping(document) else None
    annotations = entries(metadata).get("annotations") if is_mapping(metadata) else None
    noted = text_at(entries(annotations), _ORIGIN) if is_mapping(annotations) else ""
    if not noted.startswith("path: "):
        return path
    return posixpath.normpath(posixpath.join(path, noted.splitlines()[0].removeprefix("path: ")))


def _bases(rootfs: Rootfs, file: str) -> Iterator[tuple[str, int]]:
    """Give what a kustomization builds upon, as paths of the rootfs or addresses, with the lines."""
    try:
        for _, document in documents(rootfs.read(file)):
            fields = entries(document) if is_mapping(document) else {}
            for name in _BASES:
                node = fields.get(name)
                for item in node.value if is_sequence(node) else []:
                    if text := scalar(item):
                        here = posixpath.join(posixpath.dirname(file), text)
                        yield text if _is_remote(text) else posixpath.normpath(here), line_of(item)
    except NotYamlError:
        return  # kustomize says so itself, when it is rendered


def _remote(found: Mapping[str, str], rootfs: Rootfs) -> Iterator[Problem]:
    for file in sorted(found.values()):
        for base, line in _bases(rootfs, file):
            if _is_remote(base):
                message = f"kustomization builds upon {base!r}, which is not in the image"
                yield Problem(
                    message, Place(rootfs.shown(file), line), "download it into the context and name its path"
                )


def _is_remote(text: str) -> bool:
    return is_address(text) or "?ref=" in text
