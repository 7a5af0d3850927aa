"""Cluster images as one file: an OCI archive, which any OCI tool reads.

Bytes are verified on their way out and on their way in; an archive appears under its name when it is whole, and an
image that is not what its digests say leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from sealpy.errors import DigestMismatchError, ImageError, StoreError
from sealpy.image import tarball
from sealpy.image.archives import Contents, name_of, oci_path
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import (
    INDEX_TYPES,
    LAYOUT,
    MANIFEST_TYPES,
    REF_NAME,
    Descriptor,
    Index,
    Manifest,
    encode,
    parse,
)
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Member

__all__ = ["load", "save"]


def save(image: ClusterImage, out: Path, *, on_bytes: Callable[[int], None] | None = None) -> int:
    """Write an image into an OCI archive and give its size; raises StoreError when a blob of the store is damaged."""
    listing = image.descriptor.model_copy(update={"annotations": {REF_NAME: str(image.reference)}})
    index = encode(Index(manifests=(listing,)))
    blobs = {d.digest: d.size for d in (image.descriptor, image.manifest.config, *image.manifest.layers)}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
        try:
            for piece in _archive(image.store, index, blobs):
                file.write(piece)
                if on_bytes:
                    on_bytes(len(piece))
            file.flush()
            Path(file.name).chmod(0o644)
            Path(file.name).replace(out)
        finally:
            Path(file.name).unlink(missing_ok=True)
    return out.stat().st_size


def _archive(store: Store, index: bytes, blobs: dict[str, int]) -> Iterator[bytes]:
    for name, data in (("oci-layout", LAYOUT), ("index.json", index)):
        yield tarball.header(Member(name, size=len(data))) + data + tarball.padding(len(data))
    for name in ("blobs", "blobs/sha256"):
        yield tarball.header(Member(name, "dir", 0o755))
    for digest, size in sorted(blobs.items()):
        yield tarball.header(Member(oci_path(digest), size=size))
        if not store.has(digest):
            raise StoreError(f"blob {digest}: not in {store.root}", hint="load or build the image again")
        seen = hashlib.sha256()
        for piece in tarball.read(store.blob_path(digest), size):
            seen.update(piece)
            yield piece
        if f"sha256:{seen.hexdigest()}" != digest:
            raise StoreError(f"blob {digest}: damaged in {store.root}", hint="build or load the image again")
        yield tarball.padding(size)
    yield tarball.END


def load(
    store: Store, path: Path, *, tag: str | Reference | None = None, on_bytes: Callable[[int], None] | None = None
) -> tuple[ClusterImage, ...]:
    """Take the images of an OCI archive or layout into the store, under the names they have there, or as `tag`.

    Raises DigestMismatchError for bytes that are not what their digest says, ImageError for no such archive; then
    nothing of it stays.
    """
    contents = Contents(path)
    if "index.json" not in contents:
        raise ImageError(f"{path}: not an OCI archive", hint="make one with 'sealpy save NAME -o FILE'")
    index = parse(Index, contents.read("index.json"), what=f"{path}: index.json")
    try:
        with store.keeping():
            found = tuple(
                ClusterImage.of(store, _name(path, entry, tag), _take(store, contents, entry, on_bytes))
                for entry in index.manifests
            )
            for image in found:
                store.tag(image.reference, image.descriptor)
    except (ImageError, OSError):
        store.collect()
        raise
    if not found:
        raise ImageError(f"{path}: holds no image", hint="make one with 'sealpy save NAME -o FILE'")
    return found


def _name(path: Path, entry: Descriptor, tag: str | Reference | None) -> Reference:
    if tag:
        return tag if isinstance(tag, Reference) else Reference.parse(tag)
    if name := name_of(entry.annotations or {}):
        return name
    raise ImageError(f"{path}: its image has no name", hint="give it one: --tag NAME")


def _take(
    store: Store, contents: Contents, descriptor: Descriptor, on_bytes: Callable[[int], None] | None
) -> Descriptor:
    """Copy a blob and all that it leads to; blobs that are here already are not read again."""
    _copy(store, contents, descriptor, on_bytes)
    what = f"{contents.path}: {descriptor.digest}"
    if descriptor.media_type in INDEX_TYPES:
        for entry in parse(Index, store.read(descriptor.digest), what=what).manifests:
            if oci_path(entry.digest) in contents:
                _take(store, contents, entry, on_bytes)
    elif descriptor.media_type in MANIFEST_TYPES:
        manifest = parse(Manifest, store.read(descriptor.digest), what=what)
        for part in (manifest.config, *manifest.layers):
            _copy(store, contents, part, on_bytes)
    else:
        raise ImageError(f"{what}: type {descriptor.media_type!r} is no image", hint="get the image again")
    return descriptor


def _copy(store: Store, contents: Contents, descriptor: Descriptor, on_bytes: Callable[[int], None] | None) -> None:
    blob = contents.blob(oci_path(descriptor.digest), descriptor.digest)
    if blob.size != descriptor.size:
        hint = "get the archive again"
        raise DigestMismatchError(f"blob {blob.digest}: {blob.size} bytes, not {descriptor.size}", hint=hint)
    if store.has(descriptor.digest):
        return
    with store.blob() as writer:
        for piece in tarball.read(blob.source, blob.size):
            writer.write(piece)
            if on_bytes:
                on_bytes(len(piece))
        writer.commit(descriptor.digest)
