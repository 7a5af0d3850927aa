"""The names of the local images: `index.json` of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sealpy.disk import write_whole
from sealpy.errors import BadReferenceError, ImageError, StoreError, nearest
from sealpy.image.manifest import REF_NAME, Descriptor, Index, encode, parse
from sealpy.image.reference import Reference

__all__ = ["Listing", "StoredImage"]


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Name a local image and point at its manifest."""

    reference: Reference
    descriptor: Descriptor


class Listing:
    """Read `index.json`, and change it as a whole; whoever changes it holds the lock of the store."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> tuple[Descriptor, ...]:
        """Give all entries, those without a name too; raises StoreError for a file that is no index."""
        try:
            return parse(Index, self._path.read_bytes(), what=str(self._path)).manifests
        except FileNotFoundError:
            return ()
        except ImageError as error:
            hint = "move it away and load the images again: blobs that are there are not written again"
            raise StoreError(error.message, hint=hint) from error

    def images(self) -> tuple[StoredImage, ...]:
        """Give the entries that have a name which can be one, in the order of their names."""
        found = []
        for descriptor in self.entries():
            if name := (descriptor.annotations or {}).get(REF_NAME):
                with suppress(BadReferenceError):  # another tool wrote it; `store check` tells of it
                    found.append(StoredImage(Reference.parse(name), descriptor))
        return tuple(sorted(found, key=lambda image: image.reference))

    def find(self, reference: Reference) -> StoredImage:
        """Find an image by its name or its digest; raises StoreError with the nearest name."""
        images = self.images()
        for image in images:
            same = image.reference == reference
            if same or (reference.digest == image.descriptor.digest and reference.path == image.reference.path):
                return image
        near = self.like(reference)
        near = f"did you mean '{near}'?" if near else ""
        ways = f"'sealpy pull {reference.familiar}', 'sealpy load -i FILE' or 'sealpy build -t NAME'"
        raise StoreError(
            f"image {reference.familiar!r}: not among the local images",
            hint=f"{near} else bring it here: {ways}" if near else f"bring it here: {ways}",
        )

    def like(self, reference: Reference) -> str:
        """Give the name most like this one; empty when none is like it, or it is there itself."""
        names = [image.reference.familiar for image in self.images()]
        return "" if reference.familiar in names else nearest(reference.familiar, names)

    @contextmanager
    def changing(self, without: str) -> Iterator[list[Descriptor]]:
        """Take a name out, hand out the other entries, and write them back as they are then."""
        entries = [entry for entry in self.entries() if (entry.annotations or {}).get(REF_NAME) != without]
        yield entries
        write_whole(self._path, encode(Index(manifests=tuple(entries))))
