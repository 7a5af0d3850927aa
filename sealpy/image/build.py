"""Build a cluster image from a Kubefile.

FROM hands down layers, apps, labels, env and container images. Each COPY, ADD, APP and RUN is one layer. Then the new
files are searched for container images, which are taken out of local archives and laid out as `registry/`. No daemon
and no root are needed, and the same input gives the same digest.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealpy.events import Emit
from sealpy.image.add import Downloads
from sealpy.image.archives import Library
from sealpy.image.assemble import write_image, write_index
from sealpy.image.bases import Bases, Obtain
from sealpy.image.bundle import bundle
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.gather import gather, once
from sealpy.image.layer_cache import Forgetful, LayerCache
from sealpy.image.manifest import Descriptor, Platform
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.run import Cell
from sealpy.image.store import Store
from sealpy.image.wish import Wish
from sealpy.image.workshop import Workshop
from sealpy.image.workspace import workspace

__all__ = ["Built", "build"]


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


def build(wish: Wish, *, store: Store, emit: Emit, obtain: Obtain | None = None) -> Built:
    """Build an image and name it; `obtain` may bring a base that is not in the store.

    Raises KubefileError, ConfigError, ImageError, StoreError and BadReferenceError, all of them before the name is
    given: an image that had it before stays.
    """
    making = _Making(wish, store, emit=once(emit), obtain=obtain)
    with store.keeping():
        descriptors = [making.image(platform) for platform in wish.for_platforms()]
        top = descriptors[0] if len(descriptors) == 1 else write_index(store, descriptors)
        store.tag(wish.tag, top)
        images = tuple(ClusterImage.of(store, wish.tag, descriptor) for descriptor in descriptors)
    making.progress.finish(top.digest)
    return Built(wish.tag, top, images)


class _Making:
    """Write the image for one platform after the other."""

    def __init__(self, wish: Wish, store: Store, *, emit: Emit, obtain: Obtain | None) -> None:
        self._wish = wish
        self._store = store
        self._emit = emit
        self._obtain = obtain
        self.progress = Progress(emit, f"build {wish.tag.familiar}")
        cache = LayerCache(store) if wish.caching == "use" else Forgetful(store)
        self._works = Workshop(store, cache=cache, progress=self.progress)

    def image(self, platform: Platform) -> Descriptor:
        """Write all of it into the store; it has no name yet."""
        bases = Bases(store=self._store, platform=platform, obtain=self._obtain)
        with workspace(self._store.root) as work:
            fetcher = Downloads(work, self.progress, self._emit)
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
            base, layers = got.builder.base, got.builder.layers
            if self._wish.mode == "all":
                library = Library(self._wish.archives(), architecture=platform.architecture)
                layers = [
                    *layers,
                    *bundle(self._store, got.found, library=library, base=base, progress=self.progress),
                ]
            return write_image(
                self._store,
                base=base,
                layers=layers,
                metadata=got.metadata,
                platform=platform,
                annotations=self._wish.annotations,
            )
