"""The bill of materials of an image: its files, its container images, and the packages in both.

It depends on the bytes of the image alone, so two people get the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sealpy.errors import ImageError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry
from sealpy.image.manifest import Index, Manifest, Platform, parse
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT, blob_path, tag_link
from sealpy.image.tarball import Range
from sealpy.image.trust.contents import (
    SMALLEST_PROGRAM,
    Layer,
    Part,
    laid_over,
    packages_of_layers,
    program_packages,
    read_layer,
)
from sealpy.image.trust.memory import Memory
from sealpy.image.trust.packages import Package

__all__ = ["Bill", "Container", "File", "bill_of"]

_EPOCH: Final = "1970-01-01T00:00:00Z"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class File:
    """Name a file of the rootfs, its digest, and what it was built from."""

    path: str
    sha256: str
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class Container:
    """Name a container image, its digest, and its packages; `unread` says which parts could not be looked into."""

    reference: Reference
    digest: str
    packages: tuple[Package, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bill:
    """Hold what an image consists of; `created` is a time as RFC 3339 writes it."""

    reference: Reference
    digest: str
    created: str
    files: tuple[File, ...]
    containers: tuple[Container, ...]


def bill_of(image: ClusterImage, memory: Memory) -> Bill:
    """Look into every file and every container image of a cluster image; raises ImageError for a damaged one."""
    files = tuple(
        File(entry.path, entry.sha256, _packages(image, entry, memory))
        for entry in image.files.values()
        if entry.kind == "file" and not entry.path.startswith(f"{ROOT}/")
    )
    containers = tuple(_Registry(image, memory).containers())
    return Bill(image.reference, image.digest, image.config.created or _EPOCH, files, containers)


def _packages(image: ClusterImage, entry: Entry, memory: Memory) -> tuple[Package, ...]:
    if entry.size < SMALLEST_PROGRAM:
        return ()
    return memory.program(entry.sha256, lambda: program_packages(_range(image, entry), entry.size))


class _Registry:
    """Read the container images in the registry's files."""

    def __init__(self, image: ClusterImage, memory: Memory) -> None:
        self._image = image
        self._memory = memory

    def containers(self) -> Iterator[Container]:
        seen = set()
        for use in self._image.metadata.container_images:
            reference = Reference.parse(use.image)
            if reference not in seen and (digest := self._digest(reference)):
                seen.add(reference)
                yield self._container(reference, digest, use.platform)

    def _digest(self, reference: Reference) -> str:
        if reference.digest:
            return reference.digest
        link = tag_link(reference)
        return self._image.read(link).decode() if link in self._image.files else ""

    def _container(self, reference: Reference, digest: str, platform: Platform | None) -> Container:
        layers, unread = [], []
        for descriptor in self._manifest(digest, platform).layers:
            try:
                layers.append(self._layer(descriptor.digest))
            except ImageError as error:
                unread.append(error.message)
        unread += [f"{path}: not read: {why}" for path, why in sorted(laid_over(layers).unread.items())]
        return Container(reference, digest, tuple(sorted(set(packages_of_layers(layers)))), tuple(unread))

    def _manifest(self, digest: str, platform: Platform | None) -> Manifest:
        """Read the manifest of an image; of an index, that of the platform, or the first that is here."""
        data = self._image.read(blob_path(digest))
        what = f"manifest {digest}"
        listed = parse(Index, data, what=what).manifests
        if not listed:
            return parse(Manifest, data, what=what)
        here = [d for d in listed if blob_path(d.digest) in self._image.files]
        fitting = [d for d in here if platform is None or d.platform is None or d.platform == platform] or here
        if not fitting:
            raise ImageError(f"{what}: none of its platforms is in the image", hint="build the image again")
        return self._manifest(fitting[0].digest, platform)

    def _layer(self, digest: str) -> Layer:
        return self._memory.layer(digest, lambda: self._read_layer(digest))

    def _read_layer(self, digest: str) -> Layer:
        entry = self._image.entry(blob_path(digest))
        with Part(_range(self._image, entry), entry.size) as part:
            if part.peek(len(_ZSTD)).startswith(_ZSTD):
                raise ImageError(f"layer {digest}: not read: packed by zstd", hint="pack it by gzip to have it read")
            return read_layer(part, what=f"layer {digest}")


def _range(image: ClusterImage, entry: Entry) -> Range:
    return Range(image.store.blob_path(entry.layer), entry.offset)
