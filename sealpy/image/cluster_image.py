"""A cluster image in the store, as its users see it: files, bytes, metadata."""

from __future__ import annotations

import os
import zlib
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
from sealpy.image.tarball import BLOCK, PIECE, Member

__all__ = ["ClusterImage", "plain_layer"]

_GZIP_WINDOW = 31


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
        with self.store.blob_path(entry.layer).open("rb") as file:
            return os.pread(file.fileno(), entry.size, entry.offset)

    def item(self, entry: Entry) -> Item:
        """Make an entry an item of a TreePayload."""
        source = Range(self.store.blob_path(entry.layer), entry.offset) if entry.kind == "file" else b""
        return Item(_member(entry), source)


def _member(entry: Entry) -> Member:
    return Member(entry.path, entry.kind, entry.mode, entry.size, entry.target, entry.uid, entry.gid)


def plain_layer(store: Store, layer: Descriptor, diff_id: str) -> Path:
    """Give the plain tar of a layer; a compressed one is unpacked into the store, once, under its diff id."""
    if store.has(diff_id):
        return store.blob_path(diff_id)
    if not store.has(layer.digest):
        raise ImageError(f"layer {layer.digest}: not in {store.root}", hint="get the image again")
    if not layer.media_type.endswith(("gzip", ".diff.tar.gzip")):
        raise ImageError(f"layer {layer.digest}: type {layer.media_type!r} cannot be read", hint="compress with gzip")
    unpack = zlib.decompressobj(_GZIP_WINDOW)
    with store.keeping(), store.blob() as writer, store.blob_path(layer.digest).open("rb") as file:
        try:
            while piece := file.read(PIECE):
                writer.write(unpack.decompress(piece))
            writer.write(unpack.flush())
        except zlib.error as error:
            raise ImageError(f"layer {layer.digest}: {error}", hint="get the image again") from error
        writer.commit(diff_id)
    return store.blob_path(diff_id)


def _layers(store: Store, manifest: Manifest, config: ImageConfig) -> dict[str, Sequence[Entry]]:
    plain: dict[str, Path] = {}
    for layer, diff_id in zip(manifest.layers, config.rootfs.diff_ids, strict=True):
        plain.pop(diff_id, None)  # a layer that comes again counts where it comes last
        plain[diff_id] = plain_layer(store, layer, diff_id)
    lists: Mapping[str, Sequence[Entry]] = {}
    if plain and (found := _index_in(list(plain.values())[-1])) is not None:
        lists = decode_index(found)
        plain.popitem()
    return {diff_id: lists[diff_id] if diff_id in lists else scan(path, diff_id) for diff_id, path in plain.items()}


def _index_in(layer: Path) -> bytes | None:
    """Read the lists of files out of a layer, when it is the one that holds them."""
    with layer.open("rb") as file:
        first = file.read(BLOCK)
    parent = INDEX_PATH.partition("/")[0].encode()
    if not first.startswith(parent):
        return None
    for entry in scan(layer, "sha256:"):
        if entry.path == INDEX_PATH:
            with layer.open("rb") as file:
                return os.pread(file.fileno(), entry.size, entry.offset)
    return None
