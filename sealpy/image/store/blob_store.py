"""Blobs by their digest, in one directory that several processes use at once."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from sealpy.disk import make_private, write_whole
from sealpy.errors import DiskFullError, ImageError, StoreError
from sealpy.image.manifest import LAYOUT, MOST_DOCUMENT, Descriptor, digest_of
from sealpy.image.remote.begun import Begun
from sealpy.image.store.blobs import MAKE_ROOM, BlobWriter, Incoming, is_blob_name, telling_full_disk
from sealpy.image.store.locks import holders

__all__ = ["BlobStore"]

_BLOBS_LOCK = ".blobs.lock"
_NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES})


class BlobStore:
    """Keep blobs below one directory, which is made by the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = Incoming(root / "incoming", blobs=self.blob_path(""))

    def blob_path(self, digest: str) -> Path:
        """Say where a blob stands, whether it is there or not."""
        return self.root / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def has(self, digest: str) -> bool:
        """Tell whether a blob is there."""
        return self.blob_path(digest).is_file()

    def holds(self, descriptor: Descriptor) -> bool:
        """Tell whether a blob is there with as many bytes as its descriptor says."""
        with suppress(FileNotFoundError):
            return self.blob_path(descriptor.digest).stat().st_size == descriptor.size
        return False

    def read(self, digest: str) -> bytes:
        """Read a small blob, such as a manifest, and verify it."""
        try:
            with self.blob_path(digest).open("rb") as file:
                data = file.read(MOST_DOCUMENT + 1)
        except FileNotFoundError as error:
            raise StoreError(f"blob {digest}: not in {self.root}", hint="load or build the image again") from error
        if len(data) > MOST_DOCUMENT:
            raise ImageError(f"blob {digest}: too long for a document", hint="get the image from who made it")
        if digest_of(data) != digest:
            raise StoreError(f"blob {digest}: damaged in {self.root}", hint="'sealpy store check' tells what to do")
        return data

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Let nobody remove a blob: for whoever adds an image, or reads one for long."""
        with self._locked(_BLOBS_LOCK, fcntl.LOCK_SH):
            self._incoming.sweep()
            yield

    @contextmanager
    def blob(self) -> Iterator[BlobWriter]:
        """Write one blob: `write` its pieces, then `commit`; without commit nothing is left."""
        with self.keeping(), self._incoming.fresh() as writer:
            yield writer

    @contextmanager
    def partial(self, digest: str) -> Iterator[BlobWriter]:
        """Write one blob whose digest is known, going on behind the `size` bytes that an earlier try left.

        What is not committed stays for the next try. A second writer of the same blob waits for the first, and finds
        afterwards that the store `has` it.
        """
        with self.keeping(), self._incoming.partial(digest) as writer:
            yield writer

    @contextmanager
    def upload(self, name: str) -> Iterator[Begun]:
        """Note where the upload of a blob goes on, until the block ends well; `name` says which blob goes where."""
        with self.keeping(), self._incoming.upload(name) as begun:
            yield begun

    def forget_upload(self, name: str) -> None:
        """Take away what was noted of an upload, since the blob is there."""
        self._incoming.forget_upload(name)

    def refuse_without_room(self, coming: Iterable[tuple[str, int]]) -> None:
        """Raise DiskFullError when the disk has no room for blobs (digest and size), those here apart."""
        needed = sum(max(size - self._incoming.begun(digest), 0) for digest, size in coming if not self.has(digest))
        if needed > (free := self.free_bytes()):
            raise DiskFullError(f"{self.root}: {needed} bytes are needed, {free} are free", hint=MAKE_ROOM)

    def put(self, data: bytes, *, media_type: str) -> Descriptor:
        """Store a small blob."""
        with self.blob() as writer:
            writer.write(data)
            return Descriptor(media_type=media_type, digest=writer.commit(), size=writer.size)

    def users(self) -> tuple[int, ...]:
        """Give the processes that add or read images at this moment, but for this one; where the system tells."""
        return tuple(pid for pid in holders(self.root / _BLOBS_LOCK) if pid != os.getpid())

    def blobs(self) -> set[str]:
        """Give the digests of all blobs, whoever needs them."""
        directory = self.blob_path("")
        names = os.listdir(directory) if directory.is_dir() else []  # noqa: PTH208 - only names are wanted
        return {f"sha256:{name}" for name in names if is_blob_name(name)}

    def free_bytes(self) -> int:
        """Count the bytes that are free where the store stands."""
        self._prepare()
        return shutil.disk_usage(self.root).free

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Remove blobs while nobody uses them; raises BlockingIOError while somebody does."""
        with self._locked(_BLOBS_LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    def _unlink(self, digests: Collection[str]) -> int:
        freed = 0
        for digest in digests:
            with suppress(FileNotFoundError):
                size = self.blob_path(digest).stat().st_size
                self.blob_path(digest).unlink()
                freed += size
        return freed

    def _sync_blobs(self) -> None:
        """Make the names of all blobs safe on the disk before something refers to them."""
        descriptor = os.open(self.blob_path(""), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        self._prepare()
        with self._opened_lock(name, how) as file:
            if file:
                fcntl.flock(file, how)  # given back when the file is closed
            yield

    def _opened_lock(self, name: str, how: int) -> AbstractContextManager[BinaryIO | None]:
        """Open a lock, made when it is missing; gives None to a reader of a disk where nobody can make one."""
        path = self.root / name
        try:
            return path.open("ab")
        except OSError as error:
            if how != fcntl.LOCK_SH or error.errno not in _NOT_WRITABLE:
                raise
            if path.exists():
                return path.open("rb")
            if error.errno == errno.EROFS:
                return nullcontext()
            raise

    def _prepare(self) -> None:
        if (self.root / "oci-layout").is_file():
            return
        with telling_full_disk(self.root):
            for directory in (self.blob_path(""), self.root / "incoming"):
                make_private(directory)
            self.root.chmod(0o700)
            write_whole(self.root / "oci-layout", LAYOUT)
