"""What one image has that another has not: files, container images, what it says of itself, bytes to be moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry
from sealpy.image.held import held_images

__all__ = ["Change", "Difference", "diff"]

How = Literal["added", "removed", "changed"]
_REGISTRY = "registry/"


@dataclass(frozen=True, slots=True)
class Change:
    """Tell of one file, container image or word of the metadata: what it was and is, and for files their bytes."""

    how: How
    name: str
    before: str = ""
    after: str = ""
    size_before: int = 0
    size_after: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold what changed from one image to the other; `moved` is what a delta between them carries, in bytes.

    The files of the registry's data are left out of `files`: they are the container images.
    """

    files: tuple[Change, ...]
    images: tuple[Change, ...]
    metadata: tuple[Change, ...]
    moved: int

    @property
    def is_empty(self) -> bool:
        """Tell whether the two are the same to everyone who uses them."""
        return not (self.files or self.images or self.metadata)


def diff(before: ClusterImage, after: ClusterImage) -> Difference:
    """Compare two images by their lists of files; nothing is unpacked."""
    known = {part.digest for part in (before.manifest.config, *before.manifest.layers)}
    parts = {part.digest: part.size for part in (after.manifest.config, *after.manifest.layers)}
    return Difference(
        files=tuple(_files(before.files, after.files)),
        images=tuple(_words(held_images(before), held_images(after))),
        metadata=tuple(_words(_metadata(before), _metadata(after))),
        moved=sum(size for digest, size in parts.items() if digest not in known),
    )


def _files(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[Change]:
    for path in sorted({*before, *after}, key=lambda path: path.split("/")):
        old, new = before.get(path), after.get(path)
        if path.startswith(_REGISTRY) or _told(old) == _told(new):
            continue
        if not all(entry is None or entry.kind == "dir" for entry in (old, new)):
            sizes = (old.size if old else 0, new.size if new else 0)
            yield Change(_how(old, new), path, _told(old), _told(new), *sizes)
        elif old and new:
            yield Change("changed", path, _told(old), _told(new))  # directories come and go with their files


def _told(entry: Entry | None) -> str:
    """Give all of an entry that matters, for people: kind, mode, owner, and a few digits of the content."""
    if entry is None:
        return ""
    owner = f" {entry.uid}:{entry.gid}" if entry.uid or entry.gid else ""
    match entry.kind:
        case "file":
            return f"{entry.mode:04o}{owner} {entry.sha256[:12]}"
        case "symlink":
            return f"-> {entry.target}{owner}"
        case "dir":
            return f"{entry.mode:04o}{owner} directory"


def _metadata(image: ClusterImage) -> dict[str, str]:
    found = dict(_flat("", image.metadata.model_dump(mode="json", by_alias=True)))
    return {**found, "architecture": image.config.architecture}


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Give every word of a document with the path to it, such as `env.PodCIDR`; apps go by their names."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _flat(f"{name}.{key}" if name else str(key), inner)
        case list() if value and all(isinstance(item, dict) and "name" in item for item in value):
            for item in value:
                yield from _flat(f"{name}.{item['name']}", {k: v for k, v in item.items() if k != "name"})
        case list() if value:
            yield name, " ".join(map(str, value))
        case None | "" | []:
            pass  # left empty is the same as left out
        case _:
            yield name, str(value)


def _words(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(_how(old, new), name, old or "", new or "")


def _how(before: object | None, after: object | None) -> How:
    return "added" if before is None else "removed" if after is None else "changed"
