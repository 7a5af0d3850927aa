"""The local images: an OCI layout by digest.

    <root>/oci-layout  index.json  blobs/sha256/<hex>     what any OCI tool reads
    <root>/incoming/                                      blobs on their way in
    <root>/.index.lock  .blobs.lock                       who may change what

A blob is written into `incoming`, verified, synced and only then renamed, so a torn write is never a valid blob.
Adding an image takes `.blobs.lock` shared, removing unused blobs takes it alone: a build never loses a blob to `rmi`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sealpy.disk import make_private, write_whole
from sealpy.errors import BadReferenceError, DigestMismatchError, ImageError, StoreError, did_you_mean
from sealpy.image.manifest import (
    INDEX_TYPES,
    LAYOUT,
    REF_NAME,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    digest_of,
    encode,
    parse,
)
from sealpy.image.reference import Reference

__all__ = ["BlobWriter", "Store", "StoredImage"]


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Name a local image and point at its manifest."""

    reference: Reference
    descriptor: Descriptor


class BlobWriter:
    """Take the bytes of one blob while hashing them; made by `Store.blob`."""

    def __init__(self, file: IO[bytes], store: Store) -> None:
        self._file = file
        self._store = store
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._hash.update(piece)
        self._file.write(piece)
        self.size += len(piece)

    def commit(self, expected: str = "") -> str:
        """Make the blob valid and give its digest; raises DigestMismatchError when it is not the expected one."""
        digest = f"sha256:{self._hash.hexdigest()}"
        if expected and digest != expected:
            raise DigestMismatchError(f"blob {expected}: its bytes are {digest}", hint="get the image again")
        path = self._store.blob_path(digest)
        if not path.exists():  # else it is there already, and synced
            self._file.flush()
            os.fsync(self._file.fileno())
            Path(self._file.name).replace(path)
        return digest


class Store:
    """Keep images below one directory, which is made by the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def blob_path(self, digest: str) -> Path:
        """Say where a blob stands, whether it is there or not."""
        return self.root / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def has(self, digest: str) -> bool:
        """Tell whether a blob is there."""
        return self.blob_path(digest).is_file()

    def read(self, digest: str) -> bytes:
        """Read a small blob, such as a manifest, and verify it."""
        try:
            data = self.blob_path(digest).read_bytes()
        except FileNotFoundError as error:
            raise StoreError(f"blob {digest}: not in {self.root}", hint="load or build the image again") from error
        if digest_of(data) != digest:
            raise StoreError(f"blob {digest}: damaged in {self.root}", hint="remove the image and load it again")
        return data

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep `collect` away from all blobs: for whoever adds an image, or reads one for long."""
        with self._locked(".blobs.lock", fcntl.LOCK_SH):
            yield

    @contextmanager
    def blob(self) -> Iterator[BlobWriter]:
        """Write one blob: `write` its pieces, then `commit`; without commit nothing is left."""
        self._prepare()
        with tempfile.NamedTemporaryFile(dir=self.root / "incoming", delete=False, buffering=1 << 16) as file:
            try:
                yield BlobWriter(file, self)
            finally:
                Path(file.name).unlink(missing_ok=True)

    def put(self, data: bytes, *, media_type: str) -> Descriptor:
        """Store a small blob."""
        with self.blob() as writer:
            writer.write(data)
            return Descriptor(media_type=media_type, digest=writer.commit(), size=writer.size)

    def images(self) -> tuple[StoredImage, ...]:
        """List the local images by name."""
        found = [
            StoredImage(Reference.parse(name), descriptor)
            for descriptor in self._index().manifests
            if (name := (descriptor.annotations or {}).get(REF_NAME))
        ]
        return tuple(sorted(found, key=lambda image: image.reference))

    def resolve(self, name: str | Reference) -> Descriptor:
        """Find the manifest of a local image; raises StoreError that names the nearest one."""
        return self._find(name).descriptor

    def tag(self, name: str | Reference, descriptor: Descriptor) -> None:
        """Give an image a name, which is taken from the image that had it before."""
        reference = _reference(name)
        if reference.digest:
            raise BadReferenceError(f"image name '{reference}': a digest cannot be given", hint="write name:tag")
        annotated = descriptor.model_copy(update={"annotations": {REF_NAME: str(reference)}})
        with self._changing_index() as others:
            others[:] = [other for other in others if (other.annotations or {}).get(REF_NAME) != str(reference)]
            others.append(annotated)

    def remove(self, name: str | Reference) -> int:
        """Take away a name and what only its image needed; gives the bytes that became free."""
        reference = self._find(name).reference
        with self._changing_index() as others:
            others[:] = [other for other in others if (other.annotations or {}).get(REF_NAME) != str(reference)]
        return self.collect()

    def collect(self) -> int:
        """Remove every blob that no image refers to; does nothing while somebody adds one. Gives the bytes freed."""
        with suppress(BlockingIOError), self._locked(".blobs.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            used = {digest for image in self._index().manifests for digest in self._reachable(image)}
            unused = [path for path in self.blob_path("").iterdir() if f"sha256:{path.name}" not in used]
            unused += (self.root / "incoming").iterdir()
            freed = sum(path.stat().st_size for path in unused)
            for path in unused:
                path.unlink()
            return freed
        return 0

    def manifest(self, descriptor: Descriptor) -> tuple[Descriptor, Manifest]:
        """Read the manifest behind a descriptor; of an index, that of the first linux platform."""
        what = f"manifest {descriptor.digest}"
        if descriptor.media_type not in INDEX_TYPES:
            return descriptor, parse(Manifest, self.read(descriptor.digest), what=what)
        for entry in parse(Index, self.read(descriptor.digest), what=what).manifests:
            if (entry.platform is None or entry.platform.os == "linux") and self.has(entry.digest):
                return self.manifest(entry)
        raise ImageError(f"{what}: it lists no image for linux", hint="get an image for this platform")

    def _find(self, name: str | Reference) -> StoredImage:
        reference = _reference(name)
        images = self.images()
        for image in images:
            same = image.reference == reference
            if same or (reference.digest == image.descriptor.digest and reference.path == image.reference.path):
                return image
        names = [image.reference.familiar for image in images]
        hint = did_you_mean(reference.familiar, names) or "'sealpy images' lists what is here; 'sealpy load -i FILE'"
        raise StoreError(f"image {reference.familiar!r}: not among the local images", hint=hint)

    def _reachable(self, descriptor: Descriptor) -> Iterator[str]:
        yield descriptor.digest
        if not self.has(descriptor.digest):
            return
        if descriptor.media_type in INDEX_TYPES:
            for entry in parse(Index, self.read(descriptor.digest), what=f"index {descriptor.digest}").manifests:
                yield from self._reachable(entry)
            return
        manifest = parse(Manifest, self.read(descriptor.digest), what=f"manifest {descriptor.digest}")
        yield manifest.config.digest
        yield from (layer.digest for layer in manifest.layers)
        if self.has(manifest.config.digest):  # plain copies of compressed layers are kept under their diff ids
            what = f"configuration {manifest.config.digest}"
            yield from parse(ImageConfig, self.read(manifest.config.digest), what=what).rootfs.diff_ids

    def _index(self) -> Index:
        try:
            return parse(Index, (self.root / "index.json").read_bytes(), what=str(self.root / "index.json"))
        except FileNotFoundError:
            return Index()

    @contextmanager
    def _changing_index(self) -> Iterator[list[Descriptor]]:
        """Hand out the entries to be changed, and write them back as a whole."""
        with self._locked(".index.lock", fcntl.LOCK_EX):
            entries = [*self._index().manifests]
            yield entries
            write_whole(self.root / "index.json", encode(Index(manifests=tuple(entries))))

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        self._prepare()
        with (self.root / name).open("ab") as file:
            fcntl.flock(file, how)  # given back when the file is closed
            yield

    def _prepare(self) -> None:
        if (self.root / "oci-layout").is_file():
            return
        for directory in (self.root / "blobs" / "sha256", self.root / "incoming"):
            make_private(directory)
        self.root.chmod(0o700)
        write_whole(self.root / "oci-layout", LAYOUT)

    def free_bytes(self) -> int:
        """Count the bytes that are free where the store stands."""
        self._prepare()
        return shutil.disk_usage(self.root).free


def _reference(name: str | Reference) -> Reference:
    return name if isinstance(name, Reference) else Reference.parse(name)
