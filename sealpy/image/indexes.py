"""Images for several platforms under one name: an OCI index that is made and changed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sealpy.errors import ImageError, StoreError, known_words
from sealpy.image.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_INDEX,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    encode,
    parse,
)
from sealpy.image.reference import Reference
from sealpy.image.remote.platforms import choose, here, platform_name
from sealpy.image.store import Store

__all__ = ["Entry", "add", "create", "remove"]

_NO_PLATFORM: Final = {"", "unknown/unknown"}  # the second is what buildx writes for what it attests


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Say how an image is to be listed: for another platform than it says itself, with annotations."""

    os: str = ""
    architecture: str = ""
    variant: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    def on(self, platform: Platform | None) -> Platform:
        """Give the platform to list."""
        known = platform or Platform(architecture=self.architecture)
        return Platform(
            os=self.os or known.os,
            architecture=self.architecture or known.architecture,
            variant=self.variant or known.variant,
        )


def create(
    store: Store,
    name: Reference,
    images: Sequence[tuple[str, Descriptor]] = (),
    *,
    platforms: Sequence[Platform] | None = (),
) -> Descriptor:
    """Make an index that lists images, each given with what to call it; `platforms` as for `add`.

    Raises StoreError when the name is taken, ImageError for two images of one platform: one would hide the other.
    """
    if any(image.reference == name for image in store.images()):
        hint = f"take another name, or remove that image: sealpy rmi {name.familiar}"
        raise StoreError(f"image {name.familiar!r}: there is one of this name already", hint=hint)
    with store.keeping():
        listed: list[Descriptor] = []
        whose: dict[str, str] = {}
        for called, image in images:
            added = _entries(store, image, Entry(), platforms)
            for platform in {platform_name(one.platform) for one in added} - _NO_PLATFORM:
                if platform in whose:
                    message = f"'{whose[platform]}' and '{called}' are both for {platform}"
                    raise ImageError(message, hint="list one image for each platform")
                whose[platform] = called
            listed += added
        return _write(store, name, Index(manifests=tuple(listed)))


def add(
    store: Store,
    name: Reference,
    image: Descriptor,
    *,
    entry: Entry | None = None,
    platforms: Sequence[Platform] | None = (),
) -> Descriptor:
    """List an image in an index, in place of the one for the same platform; gives the new index.

    Of an image that is an index itself the one for this machine is listed, or those for `platforms`, or each when that
    is None. Raises ImageError when `name` is no index.
    """
    with store.keeping():
        index = _read(store, name)
        added = _entries(store, image, entry or Entry(), platforms)
        replaced = {word for one in added for word in (one.digest, platform_name(one.platform))}
        kept = [one for one in index.manifests if replaced.isdisjoint({one.digest, platform_name(one.platform)})]
        return _write(store, name, index.model_copy(update={"manifests": (*kept, *added)}))


def remove(store: Store, name: Reference, digest: str) -> Descriptor:
    """Take an image out of an index by its digest or its platform; raises ImageError that lists what is in it."""
    with store.keeping():
        index = _read(store, name)
        kept = tuple(one for one in index.manifests if digest not in {one.digest, platform_name(one.platform)})
        if len(kept) == len(index.manifests):
            there = known_words(platform_name(one.platform) or one.digest for one in index.manifests)
            raise ImageError(f"{name.familiar}: {digest!r} is not listed in it", hint=there or "it lists nothing")
        return _write(store, name, index.model_copy(update={"manifests": kept}))


def _read(store: Store, name: Reference) -> Index:
    top = store.resolve(name)
    if top.media_type not in INDEX_TYPES:
        hint = f"make one: sealpy manifest create NAME {name.familiar}"
        raise ImageError(f"{name.familiar}: an image for one platform, no index", hint=hint)
    return parse(Index, store.read(top.digest), what=f"index {name.familiar!r}")


def _write(store: Store, name: Reference, index: Index) -> Descriptor:
    with store.keeping():
        written = store.put(encode(index.model_copy(update={"media_type": OCI_INDEX})), media_type=OCI_INDEX)
        store.tag(name, written)
        return written


def _entries(
    store: Store, image: Descriptor, entry: Entry, platforms: Sequence[Platform] | None
) -> tuple[Descriptor, ...]:
    if image.media_type in INDEX_TYPES:
        index = parse(Index, store.read(image.digest), what=f"index {image.digest}")
        chosen = index.manifests if platforms is None else choose(index, platforms or [here()], what=image.digest)
        return tuple(_entry(store, one, entry) for one in chosen)
    if image.media_type not in MANIFEST_TYPES:
        raise ImageError(f"{image.digest}: type {image.media_type!r} is no image", hint="name an image")
    return (_entry(store, image, entry),)


def _entry(store: Store, image: Descriptor, entry: Entry) -> Descriptor:
    platform = image.platform
    if platform is None and store.has(image.digest):
        manifest = parse(Manifest, store.read(image.digest), what=f"manifest {image.digest}")
        if store.has(manifest.config.digest):
            what = f"configuration {manifest.config.digest}"
            config = parse(ImageConfig, store.read(manifest.config.digest), what=what)
            platform = Platform(architecture=config.architecture, os=config.os)
    listed = {"platform": entry.on(platform), "annotations": dict(entry.annotations) or None}
    return image.model_copy(update=listed)
