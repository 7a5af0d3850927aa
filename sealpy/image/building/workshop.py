"""Where the layers of a build are made: really, with the store, or on paper only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from sealpy.image.assemble import Layer, write_layer
from sealpy.image.building.layer_cache import LayerCache, content_key
from sealpy.image.files import Entry
from sealpy.image.progress import Progress
from sealpy.image.store import Store
from sealpy.image.tarball import Content, Source, ordered

__all__ = ["Line", "Made", "Rehearsal", "Works", "Workshop"]

Make = Callable[[], Content]


@dataclass(frozen=True, slots=True)
class Made:
    """Hold a layer, where the bytes of its files came from when that is known, and the paths as they were listed."""

    layer: Layer
    sources: Mapping[str, Source] = field(default_factory=dict)
    order: tuple[str, ...] = ()


class Works(Protocol):
    """Make layers."""

    def of_files(self, title: str, make: Make, *, key: str = "") -> Made:
        """Make a layer of files; `key` stands for all that they depend on, when that is known without making them."""

    def of_run(self, title: str, make: Make, *, key: str) -> Made:
        """Make a layer of what a command leaves."""

    def blob_path(self, digest: str) -> Path:
        """Say where the bytes of a layer are."""


class Workshop:
    """Write layers into the store, but for those that the cache knows."""

    def __init__(self, store: Store, *, cache: LayerCache, progress: Progress) -> None:
        self._store = store
        self._cache = cache
        self._progress = progress
        self.blob_path = store.blob_path

    def of_files(self, title: str, make: Make, *, key: str = "") -> Made:
        """Write a layer, or take the one that was made of the very same content."""
        if key and (layer := self._cache.find(key)):
            self._progress.step(f"{title} (unchanged)")
            return Made(replace(layer, made_by=title))
        listed = make()
        content = ordered(listed)
        by_content = content_key(content)
        layer = self._cache.find(by_content) or self._written(title, content, by_content)
        if key:
            self._cache.keep(key, layer)
        sources = {member.path: source for member, source in content}
        return Made(
            replace(layer, made_by=title), sources, tuple(member.path for member, _ in listed if member.kind == "file")
        )

    of_run = of_files

    def _written(self, title: str, content: Content, key: str) -> Layer:
        on_bytes = self._progress.step(title, total=sum(member.size for member, _ in content))
        layer = write_layer(self._store, content, on_bytes=on_bytes)
        named = replace(layer, entries=tuple(replace(entry, layer=layer.digest) for entry in layer.entries))
        self._cache.keep(key, named)
        return named


@dataclass(frozen=True, slots=True)
class Line:
    """Tell what one instruction would bring: how many files, and bytes; None when only doing it would tell."""

    title: str
    files: int | None = None
    size: int = 0


class Rehearsal:
    """Write nothing: list what layers there would be."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def of_files(self, title: str, make: Make, *, key: str = "") -> Made:  # noqa: ARG002 - nothing is kept
        """List files and count them."""
        listed = make()
        content = ordered(listed)
        files = [member for member, _ in content if member.kind == "file"]
        self.lines.append(Line(title, len(files), sum(member.size for member in files)))
        entries = (Entry(m.path, m.kind, m.mode, m.size, target=m.target, uid=m.uid, gid=m.gid) for m, _ in content)
        sources = {member.path: source for member, source in content}
        order = tuple(member.path for member, _ in listed if member.kind == "file")
        return Made(Layer("", 0, tuple(entries)), sources, order)

    def of_run(self, title: str, make: Make, *, key: str) -> Made:  # noqa: ARG002 - nothing is done
        """Say that it would be run."""
        self.lines.append(Line(title))
        return Made(Layer("", 0, ()))

    def blob_path(self, digest: str) -> Path:
        """Point nowhere: there are no layers."""
        return Path(digest)
