"""FROM: the image that a build begins with, from the store or, when it is not there, from its registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sealpy.errors import ImageError, KubefileError, Place
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
    """Open bases for one platform; without `obtain` they must be in the store."""

    store: Store
    platform: Platform
    obtain: Obtain | None = None

    def open(self, instruction: From, at: Place) -> ClusterImage | None:
        """Open the image that FROM names, None for `scratch`; raises KubefileError with the place."""
        wanted = platform_name(self.platform)
        if instruction.platform and instruction.platform != wanted:
            message = f"FROM: --platform={instruction.platform}, but the image is built for {wanted}"
            raise KubefileError(message, place=at, hint=f"build with --platform {instruction.platform}")
        return None if instruction.image == "scratch" else self.image(instruction.image, at)

    def image(self, name: str, at: Place) -> ClusterImage:
        """Open an image by its name, for what is taken out of it; raises KubefileError with the place."""
        try:
            reference = Reference.parse(name)
            found = self.obtain(reference, self.platform) if self.obtain else self.store.resolve(reference)
            return self._opened(reference, found)
        except ImageError as error:
            raise KubefileError(error.message, place=at, hint=error.hint) from error

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
