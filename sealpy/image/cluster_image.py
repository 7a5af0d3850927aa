"""A cluster image in the store, as its users see it: files, bytes, metadata."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sealpy.errors import ImageError
from sealpy.image.files import INDEX_PATH, Entry, decode_index, merge, scan
from sealpy.image.manifest import Descriptor, ImageConfig, Manifest, parse
from sealpy.image.metadata import Metadata, read_metadata
from sealpy.image.payload import Item, Range
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.store.layers import plain_layer
from sealpy.image.tar_entries import tar_entries
from sealpy.image.tarball import BLOCK

__all__ = ["ClusterImage"]

_LONGEST_LIST = 64 << 20  # bytes of the lists of all files: they are held in memory


@dataclass(frozen=True, slots=True)
class ClusterImage:
    """Give the files and the metadata of one image in a store; made by `ClusterImage.open`.

    `files` maps a path relative to the rootfs to its Entry, after all layers, sorted, parents before children.
    `layers` maps the diff id of each layer to its own entries, from bottom to top, without the layer of the lists.
    """

    store: Store
    reference: Reference
    descriptor: Descriptor
    manifest: Manifest
    config: ImageConfig
    metadata: Metadata
    layers: Mapping[str, Sequence[Entry]]
    files: Mapping[str, Entry]

    @classmethod
    def open(cls, store: Store, name: str | Reference) -> Self:
        """Open a local image; raises StoreError for one that is missing or damaged, ImageError for no such image."""
        reference = name if isinstance(name, Reference) else Reference.parse(name)
        return cls.of(store, reference, store.resolve(reference))

    @classmethod
    def of(cls, store: Store, reference: Reference, descriptor: Descriptor) -> Self:
        """Open an image by its descriptor, whatever the store calls it; raises ImageError for no such image."""
        descriptor, manifest = store.manifest(descriptor)
        what = f"configuration of {reference.familiar!r}"
        config = parse(ImageConfig, store.read(manifest.config.digest), what=what)
        if len(config.rootfs.diff_ids) != len(manifest.layers):
            raise ImageError(f"{what}: it does not have as many layers as the manifest", hint="get the image again")
        layers = _layers(store, manifest, config)
        metadata = read_metadata(manifest, config)
        return cls(store, reference, descriptor, manifest, config, metadata, layers, merge(layers.values()))

    @property
    def digest(self) -> str:
        """Give the digest of the manifest, which identifies the image whole."""
        return self.descriptor.digest

    @property
    def size(self) -> int:
        """Count the bytes of the manifest, the configuration and all layers."""
        return self.descriptor.size + self.manifest.config.size + sum(layer.size for layer in self.manifest.layers)

    def entry(self, path: str) -> Entry:
        """Find a file by its path; raises ImageError."""
        try:
            return self.files[path]
        except KeyError as error:
            raise ImageError(f"{path}: not in image {self.reference.familiar!r}") from error

    def read(self, path: str) -> bytes:
        """Read a whole file; for small ones, such as documents and templates."""
        entry = self.entry(path)
        if entry.kind != "file":
            raise ImageError(f"{path}: a {entry.kind} of image {self.reference.familiar!r}, not a file")
        blob = self.store.blob_path(entry.layer)
        with blob.open("rb") as file:
            data = os.pread(file.fileno(), entry.size, entry.offset)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            hint = "'sealpy store check' tells what to do"
            raise ImageError(f"{path}: damaged in blob {entry.layer} of {self.store.root}", hint=hint)
        return data

    def item(self, entry: Entry) -> Item:
        """Make an entry an item of a TreePayload."""
        source = Range(self.store.blob_path(entry.layer), entry.offset) if entry.kind == "file" else b""
        return Item(entry.member, source)


def _layers(store: Store, manifest: Manifest, config: ImageConfig) -> dict[str, Sequence[Entry]]:
    plain: dict[str, Path] = {}
    for layer, diff_id in zip(manifest.layers, config.rootfs.diff_ids, strict=True):
        plain.pop(diff_id, None)  # a layer that comes again counts where it comes last
        plain[diff_id] = plain_layer(store, layer, diff_id)
    lists: Mapping[str, Sequence[Entry]] = {}
    if plain and (found := _index_in(list(plain.values())[-1])) is not None:
        lists = decode_index(found)
        plain.popitem()
    return {
        diff_id: _within(path, lists[diff_id]) if diff_id in lists else scan(path, diff_id)
        for diff_id, path in plain.items()
    }


def _within(layer: Path, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Refuse a list that says more of a layer than there is."""
    size = layer.stat().st_size
    for entry in entries:
        if entry.offset + entry.size > size:
            message = f"{entry.path}: its {entry.size} bytes end behind the end of layer {entry.layer}"
            raise ImageError(message, hint="get the image again")
    return entries


def _index_in(layer: Path) -> bytes | None:
    """Read the lists of files out of a layer, when it is the one that holds them."""
    with layer.open("rb") as file:
        first = file.read(BLOCK)
    parent = INDEX_PATH.partition("/")[0].encode()
    if not first.startswith(parent):
        return None
    for entry in tar_entries(layer, what=INDEX_PATH):
        if entry.name == INDEX_PATH:
            if entry.size > _LONGEST_LIST:
                raise ImageError(f"{INDEX_PATH}: {entry.size} bytes are too many", hint="get the image again")
            with layer.open("rb") as file:
                return os.pread(file.fileno(), entry.size, entry.offset)
    return None
