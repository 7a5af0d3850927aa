"""The local images: an OCI layout by digest.

    <root>/oci-layout  index.json  blobs/sha256/<hex>     what any OCI tool reads
    <root>/incoming/                                      blobs on their way in, and where uploads go on
    <root>/.index.lock  .blobs.lock                       who may change what

A blob is written into `incoming`, verified, synced and only then renamed, so a torn write is never a valid blob; a name
is given only to an image that is whole. Adding and reading images takes `.blobs.lock` shared, removing blobs takes it
alone: no build, pull or run loses a blob to `rmi` or `prune`. The system gives back the locks of a process that dies.
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sealpy.errors import BadReferenceError, ImageError, StoreError
from sealpy.image.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    REF_NAME,
    Descriptor,
    Index,
    Manifest,
    parse,
)
from sealpy.image.reference import Reference
from sealpy.image.store.blob_store import BlobStore
from sealpy.image.store.blobs import BlobWriter, telling_full_disk
from sealpy.image.store.graph import configuration, platforms, reach
from sealpy.image.store.listing import Listing, StoredImage

__all__ = ["BlobWriter", "Store", "StoredImage", "Waste"]

_INDEX_LOCK = ".index.lock"


@dataclass(frozen=True, slots=True)
class Waste:
    """Count what no image needs: blobs, files of writers that are gone, and the bytes of both."""

    blobs: int
    files: int
    size: int


class Store(BlobStore):
    """Keep images below one directory, which is made by the first write."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._listing = Listing(root / "index.json")

    # -- names --------------------------------------------------------------------------------------------------------

    def images(self) -> tuple[StoredImage, ...]:
        """List the local images by name."""
        return self._listing.images()

    def entries(self) -> tuple[Descriptor, ...]:
        """Give the entries of `index.json`: the images, and documents that somebody put beside them."""
        return self._listing.entries()

    def resolve(self, name: str | Reference) -> Descriptor:
        """Find the manifest of a local image; raises StoreError that names the nearest one."""
        return self.find(name).descriptor

    def find(self, name: str | Reference) -> StoredImage:
        """Find a local image by any form of its name, also by its digest; raises StoreError with the nearest name."""
        return self._listing.find(_reference(name))

    def like(self, reference: Reference) -> str:
        """Give the name of a local image that may be meant; empty when none is like it, or it is here itself."""
        return self._listing.like(reference)

    def tag(self, name: str | Reference, descriptor: Descriptor) -> None:
        """Give a whole image a name, which is taken from the image that had it before.

        Raises StoreError when a blob of the image is not here, BadReferenceError for a name with a digest.
        """
        reference = _reference(name)
        if reference.digest:
            raise BadReferenceError(f"image name '{reference}': a digest cannot be given", hint="write name:tag")
        annotated = descriptor.model_copy(update={"annotations": {REF_NAME: str(reference)}})
        with self.keeping():
            self._require(descriptor)
            self._sync_blobs()
            with self._changing_index(str(reference)) as others:
                others.append(annotated)

    def remove(self, name: str | Reference) -> int:
        """Take away a name and what only its image needed; gives the bytes that became free.

        Nothing becomes free while somebody adds or reads an image, and while a damaged image does not say what it
        needs: `prune` does it later.
        """
        image = self.find(name)
        documents = self.referrers(image.descriptor.digest)
        self.forget(str(image.reference))
        self._drop_orphans()
        with suppress(BlockingIOError, ImageError), self._alone():
            gone = {d.digest for d in self._reach(image.descriptor, *documents)} | self._copies(image.descriptor)
            return self._unlink(gone - self._used())
        return 0

    def forget(self, name: str) -> None:
        """Take a name out, also one that is no image name; blobs stay."""
        with self._changing_index(name):
            pass  # the others are written back as they are

    # -- documents that refer to an image -----------------------------------------------------------------------------

    def attach(self, document: Descriptor, *, subject: str) -> Descriptor:
        """List a manifest whose subject is an image, in place of those of its type; gives it as it stands in the list.

        It stays as long as its image. Raises StoreError when a part of it is not here.
        """
        listed = document.model_copy(update={"annotations": None})
        with self.keeping():
            self._require(listed)
            self._sync_blobs()
            with self._changing_index("") as others:
                before = self.referrers(subject, artifact_type=listed.artifact_type or "")
                others[:] = [*(entry for entry in others if entry not in before), listed]
        return listed

    def referrers(self, digest: str, *, artifact_type: str = "") -> tuple[Descriptor, ...]:
        """List the documents that refer to the image with this digest, such as signatures; all, or those of a type."""
        return tuple(
            entry
            for entry in self.entries()
            if self._subject(entry) == digest and artifact_type in {"", entry.artifact_type}
        )

    def _subject(self, entry: Descriptor) -> str:
        """Give the digest of what an entry of the list refers to; empty for an image."""
        named = REF_NAME in (entry.annotations or {})
        if named or entry.media_type not in MANIFEST_TYPES or not self.has(entry.digest):
            return ""
        subject = parse(Manifest, self.read(entry.digest), what=f"manifest {entry.digest}").subject
        return subject.digest if subject else ""

    def _drop_orphans(self) -> None:
        """Take out documents whose image has gone; nothing while a damaged image does not say what it needs."""
        with suppress(ImageError), self._changing_index("") as entries:
            alone = {entry.digest: subject for entry in entries if (subject := self._subject(entry))}
            kept = {part.digest for entry in entries if entry.digest not in alone for part in self._reach(entry)}
            entries[:] = [entry for entry in entries if alone.get(entry.digest, "") in {"", *kept}]

    # -- what nobody needs --------------------------------------------------------------------------------------------

    def discard(self, digests: Collection[str]) -> int:
        """Remove these blobs, but for those that an image refers to, and give the bytes freed.

        Nothing is removed while somebody uses the store.
        """
        with suppress(BlockingIOError, ImageError), self._alone():
            return self._unlink({*digests} - self._used())
        return 0

    def prune(self) -> Waste:
        """Remove every blob that no image refers to, and begun ones; raises StoreError while somebody uses the store.

        Nothing is removed either while a damaged image does not say what it needs.
        """
        try:
            with self._alone():
                self._drop_orphans()
                waste = self.waste()
                self._unlink(self.blobs() - self._used())
                self._incoming.clear()
                return waste
        except BlockingIOError as error:
            users = ", ".join(f"process {pid}" for pid in self.users()) or "another sealpy"
            message = f"{self.root}: {users} builds, moves or runs an image: nothing was removed"
            raise StoreError(message, hint="type 'sealpy prune' again when it has ended") from error

    def waste(self) -> Waste:
        """Count what `prune` would remove if nobody used the store."""
        unused = [self.blob_path(digest).stat().st_size for digest in self.blobs() - self._used()]
        left = [path.stat().st_size for path in self._incoming.left()]
        return Waste(len(unused), len(left), sum(unused) + sum(left))

    def needed(self, descriptor: Descriptor) -> set[str]:
        """Give the digests of all blobs of an image that are here, plain copies of its layers included."""
        found = {d.digest for d in self._reach(descriptor)} | self._copies(descriptor)
        return {digest for digest in found if self.has(digest)}

    def manifest(self, descriptor: Descriptor) -> tuple[Descriptor, Manifest]:
        """Read the manifest behind a descriptor; of an index, that of the first linux platform."""
        what = f"manifest {descriptor.digest}"
        if descriptor.media_type not in INDEX_TYPES:
            return descriptor, parse(Manifest, self.read(descriptor.digest), what=what)
        for entry in parse(Index, self.read(descriptor.digest), what=what).manifests:
            if (entry.platform is None or entry.platform.os == "linux") and self.has(entry.digest):
                return self.manifest(entry)
        raise ImageError(f"{what}: it lists no image for linux", hint="get an image for this platform")

    def _reach(self, *tops: Descriptor) -> Iterator[Descriptor]:
        return reach(*tops, read=self.read, has=self.has)

    def _copies(self, descriptor: Descriptor) -> set[str]:
        found = platforms(descriptor, read=self.read, has=self.has)
        return {d for _, manifest in found for d in configuration(manifest, read=self.read).rootfs.diff_ids}

    def _used(self) -> set[str]:
        """Give the digests that any image needs; raises ImageError, which names it, for one that cannot be read."""
        used: set[str] = set()
        for entry in self.entries():
            try:
                used |= {d.digest for d in self._reach(entry)} | self._copies(entry)
            except ImageError as error:
                name = (entry.annotations or {}).get(REF_NAME, entry.digest)
                hint = f"'sealpy store check' tells more; 'sealpy rmi {name}', if it cannot be loaded again"
                raise StoreError(f"image '{name}': {error.message}", hint=hint) from error
        return used

    def _require(self, descriptor: Descriptor) -> None:
        for part in self._reach(descriptor):
            if not self.has(part.digest):
                raise StoreError(f"blob {part.digest}: not in {self.root}", hint="load or build the image again")

    @contextmanager
    def _changing_index(self, without: str) -> Iterator[list[Descriptor]]:
        with (
            self._locked(_INDEX_LOCK, fcntl.LOCK_EX),
            telling_full_disk(self.root),
            self._listing.changing(without) as others,
        ):
            yield others


def _reference(name: str | Reference) -> Reference:
    return name if isinstance(name, Reference) else Reference.parse(name)
