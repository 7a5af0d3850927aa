"""Blobs on their way into the store: written beside, verified, synced, renamed.

A writer holds the lock of its own file for as long as it lives, also by accident: whatever lock can be had belongs to
nobody, so what a killed writer left is told from what another process is writing at this moment.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sealpy.disk import alone, stands_at
from sealpy.errors import DigestMismatchError, DiskFullError
from sealpy.image.remote import begun

__all__ = ["MAKE_ROOM", "BlobWriter", "Incoming", "is_blob_name", "telling_full_disk"]

_BLOB_NAME = re.compile(r"[0-9a-f]{64}")
_PARTIAL = ".partial"
_KEPT = frozenset({_PARTIAL, begun.SUFFIX})  # what the next try goes on with
_PIECE = 1 << 20
MAKE_ROOM = "make room with 'sealpy rmi' and 'sealpy prune', or let SEALPY_HOME name a directory on another disk"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BlobWriter:
    """Take the bytes of one blob while hashing them; made by `Store.blob` and `Store.partial`.

    `size` is the number of bytes that are there, those of an earlier try included.
    """

    def __init__(self, file: BinaryIO, path: Path, *, blobs: Path) -> None:
        """Write to an open file that stands at `path`; valid blobs stand in the directory `blobs`."""
        self._file = file
        self._path = path
        self._blobs = blobs
        self._hash = hashlib.sha256()
        self.size = 0
        while piece := file.read(_PIECE):
            self._hash.update(piece)
            self.size += len(piece)

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._hash.update(piece)
        self._file.write(piece)
        self.size += len(piece)

    def restart(self) -> None:
        """Forget the bytes that are there, for a sender that can only begin at the beginning."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self.size = 0

    def commit(self, expected: str = "") -> str:
        """Make the blob valid and give its digest; raises DigestMismatchError when it is not the expected one."""
        digest = f"sha256:{self._hash.hexdigest()}"
        if expected and digest != expected:
            self.restart()  # whatever comes next, these bytes are of no use
            raise DigestMismatchError(f"blob {expected}: its bytes are {digest}", hint="get the image again")
        path = self._blobs / digest.removeprefix("sha256:")
        if not path.is_file() or path.stat().st_size != self.size:  # else it is there already, and synced
            self._file.flush()
            os.fsync(self._file.fileno())
            self._path.replace(path)
        return digest


class Incoming:
    """Be the directory where blobs are written, beside the directory where they are valid."""

    def __init__(self, directory: Path, *, blobs: Path) -> None:
        self._directory = directory
        self._blobs = blobs

    @contextmanager
    def fresh(self) -> Iterator[BlobWriter]:
        """Write a blob whose digest nobody knows yet; without commit nothing is left."""
        with telling_full_disk(self._directory), self._new() as (file, path):
            try:
                yield BlobWriter(file, path, blobs=self._blobs)
            finally:
                _remove_own(file, path)

    @contextmanager
    def partial(self, digest: str) -> Iterator[BlobWriter]:
        """Go on with a blob where the last try ended; what is not committed stays for the next one.

        Whoever writes the same blob at this moment is waited for.
        """
        hexadecimal, path = digest.removeprefix("sha256:"), self._partial(digest)
        with telling_full_disk(self._directory), alone(path) as file:
            writer = BlobWriter(file, path, blobs=self._blobs)
            try:
                yield writer
            except OSError as error:
                if error.errno in _FULL:
                    _remove_own(file, path)  # else what nobody can finish keeps the disk full
                raise
            finally:
                if not writer.size or (self._blobs / hexadecimal).is_file():
                    _remove_own(file, path)

    @contextmanager
    def upload(self, name: str) -> Iterator[begun.Begun]:
        """Note where the upload of a blob to some place goes on, until the block ends well."""
        with begun.begun_upload(self._note(name)) as found:
            yield found

    def forget_upload(self, name: str) -> None:
        """Take away the note of an upload that came to its end after all."""
        self._note(name).unlink(missing_ok=True)

    def _note(self, name: str) -> Path:
        return self._directory / f"{hashlib.sha256(name.encode()).hexdigest()}{begun.SUFFIX}"

    def begun(self, digest: str) -> int:
        """Count the bytes of a blob that an earlier try left."""
        with suppress(FileNotFoundError):
            return self._partial(digest).stat().st_size
        return 0

    def _partial(self, digest: str) -> Path:
        return self._directory / f"{digest.removeprefix('sha256:')}{_PARTIAL}"

    def left(self) -> list[Path]:
        """List the files that no living writer holds, begun blobs among them."""
        return [path for path in self._files() if _is_nobodys(path)]

    def sweep(self) -> int:
        """Remove what killed writers left and nobody can go on with; gives the bytes freed."""
        return sum(_remove_nobodys(path) for path in self._files() if path.suffix not in _KEPT)

    def clear(self) -> int:
        """Remove also blobs that were begun and can be gone on with; gives the bytes freed."""
        return sum(_remove_nobodys(path) for path in self._files())

    def _files(self) -> list[Path]:
        return sorted(self._directory.iterdir()) if self._directory.is_dir() else []

    @contextmanager
    def _new(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Open a new file whose lock we hold, whatever a sweep did between its making and its locking."""
        while True:
            descriptor, name = tempfile.mkstemp(dir=self._directory)
            with os.fdopen(descriptor, "r+b", buffering=1 << 16) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if stands_at(file, Path(name)):
                    yield file, Path(name)
                    return


def is_blob_name(name: str) -> bool:
    """Tell whether a file of this name can be a blob: 64 hexadecimal digits."""
    return bool(_BLOB_NAME.fullmatch(name))


@contextmanager
def telling_full_disk(directory: Path, *, hint: str = MAKE_ROOM) -> Iterator[None]:
    """Tell a disk that is full, or a quota that is used up, as a DiskFullError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFullError(f"{directory}: {(error.strerror or 'no space left').lower()}", hint=hint) from error


def _remove_own(file: BinaryIO, path: Path) -> None:
    if stands_at(file, path):
        path.unlink()


def _is_nobodys(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:  # gone, or held by its writer
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return stands_at(file, path)
    return False


def _remove_nobodys(path: Path) -> int:
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(file.fileno()).st_size
        if stands_at(file, path):
            path.unlink()
            return size
    return 0
