"""FROM: the image that a build begins with, from the store or, when it is not there, from its registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sealpy.errors import ImageError, KubefileError, Place, StoreError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import INDEX_TYPES, Descriptor, Index, Platform, parse
from sealpy.image.reference import Reference
from sealpy.image.remote.platforms import choose, platform_name
from sealpy.image.store import Store
from sealpy.kubefile import From

__all__ = ["Bases", "Obtain"]

Obtain = Callable[[Reference, Platform], Descriptor]
"""Find an image in the store, perhaps after bringing it there; raises ImageError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """Open bases for one platform, each once; without `obtain` they must be in the store."""

    store: Store
    platform: Platform
    obtain: Obtain | None = None
    _images: dict[str, ClusterImage] = field(default_factory=dict, init=False, repr=False, compare=False)

    def must_bring(self, name: str) -> bool:
        """Tell whether an image is not here, and would be looked for elsewhere."""
        if self.obtain is None or name == "scratch":
            return False
        try:
            self.store.resolve(Reference.parse(name))
        except StoreError:
            return True
        except ImageError:  # no name: nobody would be asked
            return False
        return False

    def open(self, instruction: From, at: Place) -> ClusterImage | None:
        """Open the image that FROM names, None for `scratch`; raises KubefileError with the place."""
        wanted = platform_name(self.platform)
        if instruction.platform and instruction.platform != wanted:
            message = f"FROM: --platform={instruction.platform}, but the image is built for {wanted}"
            raise KubefileError(message, place=at, hint=f"build with --platform {instruction.platform}")
        return None if instruction.image == "scratch" else self.image(instruction.image, at)

    def image(self, name: str, at: Place) -> ClusterImage:
        """Open an image by its name, for what is taken out of it; raises KubefileError with the place."""
        if name in self._images:
            return self._images[name]
        try:
            reference = Reference.parse(name)
            found = self.obtain(reference, self.platform) if self.obtain else self.store.resolve(reference)
            self._images[name] = self._opened(reference, found)
        except ImageError as error:
            raise KubefileError(error.message, place=at, hint=error.hint) from error
        return self._images[name]

    def _opened(self, reference: Reference, descriptor: Descriptor) -> ClusterImage:
        wanted = platform_name(self.platform)
        if descriptor.media_type in INDEX_TYPES:
            index = parse(Index, self.store.read(descriptor.digest), what=reference.familiar)
            [descriptor] = choose(index, [self.platform], what=reference.familiar)
        image = ClusterImage.of(self.store, reference, descriptor)
        found = image.config.architecture
        if found != self.platform.architecture:
            hint = f"build with --platform linux/{found}, or begin with an image for {wanted}"
            raise ImageError(f"image '{reference.familiar}' is for linux/{found}, not for {wanted}", hint=hint)
        return image
