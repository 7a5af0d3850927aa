"""Build a cluster image from a Kubefile.

First every problem of the Kubefile is told. FROM hands down layers, apps, labels, env and container images. Each COPY,
ADD, APP and RUN is one layer. Then the new files are searched for container images, which are taken out of local
archives, or else come from their registries, and are laid out as `registry/`. No daemon and no root are needed, and the
same input gives the same digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sealpy.errors import SealpyError
from sealpy.events import Emit
from sealpy.image.archives import Library
from sealpy.image.assemble import Layer, write_image, write_index
from sealpy.image.building.add import Downloads
from sealpy.image.building.bases import Bases, Obtain
from sealpy.image.building.bundle import absent, bundle
from sealpy.image.building.gather import Gathered, gather, once
from sealpy.image.building.layer_cache import Forgetful, LayerCache
from sealpy.image.building.run import Cell
from sealpy.image.building.survey import survey
from sealpy.image.building.wish import Wish
from sealpy.image.building.workshop import Workshop
from sealpy.image.building.workspace import workspace
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.held import taken_out
from sealpy.image.manifest import Descriptor, Platform
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.store import Store

if TYPE_CHECKING:
    from sealpy.image.remote.containers import Brought  # a build without a registry does not wait for HTTP

__all__ = ["Bring", "Built", "build"]


@dataclass(frozen=True, slots=True)
class Built:
    """Hold what was built: the image for each platform, and what the name leads to: the one, or an index of all."""

    reference: Reference
    descriptor: Descriptor
    images: tuple[ClusterImage, ...]

    @property
    def digest(self) -> str:
        """Give the digest of what the name leads to."""
        return self.descriptor.digest

    @property
    def size(self) -> int:
        """Count the bytes of all images; blobs that two of them share count once."""
        parts = {d.digest: d.size for image in self.images for d in (image.manifest.config, *image.manifest.layers)}
        return sum({**parts, **{image.digest: image.descriptor.size for image in self.images}}.values())


Bring = Callable[[Sequence[Reference], Platform, Progress], "Brought"]
"""Fetch container images into the store."""


def build(wish: Wish, *, store: Store, emit: Emit, obtain: Obtain | None = None, bring: Bring | None = None) -> Built:
    """Build an image and name it.

    `obtain` may bring a base that is not in the store, `bring` container images that are in no archive.

    Raises KubefileError, ConfigError, ImageError, StoreError and BadReferenceError, all of them before the name is
    given: an image that had it before stays.
    """
    making = _Making(wish, store, emit=once(emit), bring=bring)
    with store.keeping():
        bases = {one: Bases(store=store, platform=one, obtain=obtain) for one in wish.for_platforms()}
        survey(wish, bases)
        descriptors = [making.image(platform, bases[platform]) for platform in bases]
        top = descriptors[0] if len(descriptors) == 1 else write_index(store, descriptors)
        store.tag(wish.tag, top)
        images = tuple(ClusterImage.of(store, wish.tag, descriptor) for descriptor in descriptors)
    making.progress.finish(top.digest)
    return Built(wish.tag, top, images)


class _Making:
    """Write the image for one platform after the other."""

    def __init__(self, wish: Wish, store: Store, *, emit: Emit, bring: Bring | None) -> None:
        self._wish = wish
        self._store = store
        self._emit = emit
        self._bring = bring
        self.progress = Progress(emit, f"build {wish.tag.familiar}")
        cache = LayerCache(store) if wish.caching == "use" else Forgetful(store)
        self._works = Workshop(store, cache=cache, progress=self.progress)

    def image(self, platform: Platform, bases: Bases) -> Descriptor:
        """Write all of it into the store; it has no name yet."""
        with workspace(self._store.root) as work:
            fetcher = Downloads(work, self.progress, self._emit, self._wish.tls)
            task = f"build {self._wish.tag.familiar}"
            cell = Cell(work, self._store, self._emit, task, self._wish.proxies())
            got = gather(
                self._wish,
                platform,
                works=self._works,
                fetcher=fetcher,
                bases=bases,
                runner=cell,
                emit=self._emit,
            )
            base, layers = got.builder.base if self._wish.base == "kept" else None, got.builder.layers
            if self._wish.mode == "all":
                layers = [*layers, *self._containers(got, base, platform)]
            return write_image(
                self._store,
                base=base,
                layers=layers,
                metadata=got.metadata,
                platform=platform,
                annotations=self._wish.annotations,
            )

    def _containers(self, got: Gathered, base: ClusterImage | None, platform: Platform) -> tuple[Layer, ...]:
        """Write the layers of the container images: from archives, from the base, else from their registries.

        A base that is left out still gives the images that it holds: whoever runs the application may have another one.
        """
        found, library = got.found, Library(self._wish.archives(), architecture=platform.architecture)
        if got.builder.base and base is None:
            library.add(taken_out(got.builder.base, absent(found, library=library, base=None)))
        failures: Mapping[Reference, SealpyError] = {}
        missing = absent(found, library=library, base=base)
        if missing and self._bring:
            brought = self._bring(missing, platform, self.progress)
            library.add(brought.images)
            failures = brought.failures
        return bundle(self._store, found, library=library, base=base, progress=self.progress, failures=failures)
