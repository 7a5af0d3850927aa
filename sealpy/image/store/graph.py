"""What an image consists of: the blobs that a descriptor leads to, through indexes, manifests and configurations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sealpy.image.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, ImageConfig, Index, Manifest, parse

__all__ = ["Has", "Read", "configuration", "platforms", "reach"]

Read = Callable[[str], bytes]
"""Gives the verified bytes of a small blob by its digest."""

Has = Callable[[str], bool]
"""Tells whether the blob of a digest is here."""


def reach(*tops: Descriptor, read: Read, has: Has) -> Iterator[Descriptor]:
    """Yield every blob of some images once, an index before its manifests, a manifest before its parts.

    An index may list platforms that are not here: they are left out, as is what a document of an unknown type leads
    to. Raises ImageError for a document that is none, and whatever `read` raises.
    """
    seen: set[str] = set()
    waiting = [*reversed(tops)]
    while waiting:  # not by recursion: hostile indexes are nested as deep as somebody likes
        descriptor = waiting.pop()
        if descriptor.digest in seen:
            continue
        seen.add(descriptor.digest)
        yield descriptor
        waiting += reversed(_parts(descriptor, read, has))


def platforms(top: Descriptor, *, read: Read, has: Has) -> Iterator[tuple[Descriptor, Manifest]]:
    """Yield the manifest of every platform of an image that is here."""
    for descriptor in reach(top, read=read, has=has):
        if descriptor.media_type in MANIFEST_TYPES:
            yield descriptor, _manifest(descriptor, read)


def configuration(manifest: Manifest, *, read: Read) -> ImageConfig:
    """Read the configuration of an image for one platform."""
    digest = manifest.config.digest
    return parse(ImageConfig, read(digest), what=f"configuration {digest}")


def _parts(descriptor: Descriptor, read: Read, has: Has) -> tuple[Descriptor, ...]:
    if descriptor.media_type in INDEX_TYPES:
        index = parse(Index, read(descriptor.digest), what=f"index {descriptor.digest}")
        return tuple(entry for entry in index.manifests if has(entry.digest))
    if descriptor.media_type in MANIFEST_TYPES:
        manifest = _manifest(descriptor, read)
        return (manifest.config, *manifest.layers)
    return ()


def _manifest(descriptor: Descriptor, read: Read) -> Manifest:
    return parse(Manifest, read(descriptor.digest), what=f"manifest {descriptor.digest}")
