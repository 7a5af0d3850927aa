"""What the local images take on the disk: each by itself, and together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sealpy.errors import ImageError
from sealpy.image.store import Store
from sealpy.image.store.graph import configuration, platforms, reach
from sealpy.image.store.listing import StoredImage

__all__ = ["Usage", "usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tell of one image, in bytes: `size` is moved when it is copied, `own` becomes free when its last name goes.

    `shared` is on the disk too, but other images need it as well. `platforms` are such as `linux/amd64`. When the
    image is damaged, `problem` says why, and the numbers are 0.
    """

    image: StoredImage
    platforms: tuple[str, ...] = ()
    size: int = 0
    own: int = 0
    shared: int = 0
    problem: str = ""


def usage(store: Store) -> tuple[Usage, ...]:
    """Measure every image of a store, in the order of their names; names of one image share nothing with each other."""
    images = store.images()
    needed: dict[str, set[str]] = {}
    problems: dict[str, str] = {}
    for digest, image in {image.descriptor.digest: image for image in images}.items():
        try:
            needed[digest] = store.needed(image.descriptor)
        except ImageError as error:
            problems[digest] = error.message
    users = Counter(blob for blobs in needed.values() for blob in blobs)
    return tuple(
        Usage(image, problem=problems[image.descriptor.digest])
        if image.descriptor.digest in problems
        else _measured(store, image, needed[image.descriptor.digest], users)
        for image in images
    )


def _measured(store: Store, image: StoredImage, blobs: set[str], users: Counter[str]) -> Usage:
    sizes = {blob: store.blob_path(blob).stat().st_size for blob in blobs}
    own = sum(size for blob, size in sizes.items() if users[blob] == 1)
    moved = sum(part.size for part in reach(image.descriptor, read=store.read, has=store.has))
    return Usage(image, _platforms(store, image), moved, own, sum(sizes.values()) - own)


def _platforms(store: Store, image: StoredImage) -> tuple[str, ...]:
    found = platforms(image.descriptor, read=store.read, has=store.has)
    configurations = [configuration(manifest, read=store.read) for _, manifest in found]
    return tuple(f"{config.os}/{config.architecture}" for config in configurations)
