"""Bring an image from a registry into the store: whole and verified, before it has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sealpy.errors import ImageError
from sealpy.image.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_INDEX,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    digest_of,
    encode,
    parse,
)
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.remote.fetch import BlobFetcher
from sealpy.image.remote.platforms import choose, here, named, platform_name
from sealpy.image.remote.remotes import Sources
from sealpy.image.store import Store

__all__ = ["Documents", "Images", "Pulled", "pull", "read_images", "read_top"]

_SHORT_DIGEST: Final = len("sha256-") + 12


@dataclass(frozen=True, slots=True)
class Pulled:
    """Say what came: the image, the bytes that were fetched, the blobs it has and those that were missing."""

    descriptor: Descriptor
    fetched: int
    blobs: int
    missing: int


def pull(
    store: Store,
    sources: Sources,
    *,
    progress: Progress,
    platforms: Sequence[Platform] | None = (),
    name: Reference | None = None,
) -> Pulled:
    """Pull an image and give it its name, or `name`; nothing has that name before everything is here and verified.

    Of an index the image for this machine is taken, or those for `platforms` as a narrower index, or all of it as it
    is when that is None. Raises RemoteError, DigestMismatchError, ImageError for a platform that is not there, and
    StoreError for a full disk; what has arrived stays for the next try.
    """
    reference = sources.reference
    with store.keeping():
        documents = Documents(sources)
        top, images = _tree(documents, platforms)
        blobs = [(blob, sources) for _, manifest in images for blob in (manifest.config, *manifest.layers)]
        fetcher = BlobFetcher(store)
        fetcher.fetch(blobs, progress=progress)
        for descriptor, manifest in images:
            _check_platform(store, manifest, descriptor, reference, platforms)
        for data, media_type in documents.read.values():
            store.put(data, media_type=media_type)
        store.tag(name or _tagged(reference), top)
    return Pulled(top, fetcher.fetched, fetcher.blobs, fetcher.missing)


def _tagged(reference: Reference) -> Reference:
    """Give the name that a pulled image gets: one that is asked for by its digest alone has none, and is made one."""
    tag = reference.tag or reference.digest.replace(":", "-")[:_SHORT_DIGEST]
    return Reference(reference.domain, reference.path, tag)


class Documents:
    """Read the manifests and indexes of one image; `read` are all that were read, by their digests."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.read: dict[str, tuple[bytes, str]] = {}

    def take(self, digest: str = "") -> Descriptor:
        """Read a manifest or an index: the one of a digest, or else what the reference means."""
        descriptor, data = self.sources.manifest(digest)
        return self.keep(data, descriptor)

    def keep(self, data: bytes, descriptor: Descriptor) -> Descriptor:
        """Put a document among those that were read."""
        self.read[descriptor.digest] = data, descriptor.media_type
        return descriptor

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Give a manifest that was read."""
        return parse(Manifest, self.read[descriptor.digest][0], what=self._what(descriptor))

    def index(self, descriptor: Descriptor) -> Index:
        """Give an index that was read."""
        return parse(Index, self.read[descriptor.digest][0], what=self._what(descriptor))

    def _what(self, descriptor: Descriptor) -> str:
        return f"{self.sources.reference.repository}@{descriptor.digest}"


Images = list[tuple[Descriptor, Manifest]]


def read_top(documents: Documents) -> Descriptor:
    """Read what a reference means; raises ImageError when that is no image."""
    top = documents.take()
    if top.media_type not in MANIFEST_TYPES | INDEX_TYPES:
        hint = "name an image; signatures and the like are no images"
        raise ImageError(f"{documents.sources.reference.familiar}: type {top.media_type!r} is no image", hint=hint)
    return top


def read_images(documents: Documents, entries: Sequence[Descriptor]) -> Images:
    """Read the manifests that entries of an index point at; raises ImageError for one that is no image."""
    found: Images = []
    for entry in entries:
        read = documents.take(entry.digest)
        if read.media_type not in MANIFEST_TYPES:
            message = f"{documents.sources.reference.familiar}: its index lists {read.media_type!r}, which is no image"
            raise ImageError(message, hint="name the image for one platform by its digest")
        found.append((entry, documents.manifest(read)))
    return found


def _tree(documents: Documents, platforms: Sequence[Platform] | None) -> tuple[Descriptor, Images]:
    """Read the manifests that are wanted; gives what the image is to be, and its manifests."""
    top = read_top(documents)
    if top.media_type in MANIFEST_TYPES:
        return top, [(top, documents.manifest(top))]
    index = documents.index(top)
    if platforms is None:
        return top, read_images(documents, index.manifests)
    chosen = choose(index, platforms or [here()], what=documents.sources.reference.familiar)
    found = read_images(documents, chosen)
    documents.read.pop(top.digest)
    if len(chosen) == 1 and len(platforms) <= 1:
        return chosen[0], found
    data = encode(Index(manifests=chosen))
    narrow = Descriptor(media_type=OCI_INDEX, digest=digest_of(data), size=len(data))
    return documents.keep(data, narrow), found


def _check_platform(
    store: Store, manifest: Manifest, descriptor: Descriptor, reference: Reference, platforms: Sequence[Platform] | None
) -> None:
    """Refuse an image without an index that is for another platform than the one asked for."""
    if not platforms or descriptor.platform:
        return
    config = parse(ImageConfig, store.read(manifest.config.digest), what=f"{reference.familiar}: configuration")
    platform = Platform(architecture=config.architecture, os=config.os)
    if not any(named(platform, wanted) for wanted in platforms):
        hint = "leave out --platform to take it all the same"
        raise ImageError(f"{reference.familiar}: it is for {platform_name(platform)} alone", hint=hint)
