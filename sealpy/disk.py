"""what is written on this machine: whole files, for their owner alone, and why the system refuses."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

__all__ = ["alone", "expanded", "make_private", "reason_of", "stands_at", "write_new", "write_whole"]


def expanded(typed: str | Path) -> Path:
    """Give a path with `~` and `~name` made directories; where nobody has that name it stays as it was typed."""
    return Path(os.path.expanduser(typed))  # noqa: PTH111 - that of Path raises RuntimeError for a name that nobody has


def reason_of(error: OSError) -> str:
    """Give the system's reason for a refusal in lower case, as it stands behind a colon."""
    return (error.strerror or str(error)).lower()


def make_private(directory: Path) -> None:
    """Make a directory that only its owner enters, and likewise those above it that are missing."""
    for path in (*reversed(directory.parents), directory):  # `parents=True` would leave those above open to all
        path.mkdir(mode=0o700, exist_ok=True)


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Write a file under another name beside, and give it its own when it is safe on the disk.

    Whoever reads it sees the old content or the new, never half of one. Its directory must be there.
    """
    with _beside(path, content, mode=mode) as beside:
        beside.replace(path)


def write_new(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write likewise a file that is not there yet; raises FileExistsError when it is, whoever was faster."""
    with _beside(path, content, mode=mode) as beside:
        path.hardlink_to(beside)


@contextmanager
def _beside(path: Path, content: str | bytes, *, mode: int) -> Iterator[Path]:
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        beside = Path(file.name)
        try:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            beside.chmod(mode)
            os.fsync(file.fileno())
            yield beside
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[BinaryIO]:
    """Open a file, made when it is missing, to read and write it while everyone else who comes by this way waits.

    The lock is on the file itself; it may be replaced by `write_whole` or removed while it is held.
    """
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # given back when the file is closed
            if stands_at(file, path):
                yield file
                return
            # while we waited, another put a new file in place of this one, or took it away


def stands_at(file: BinaryIO, path: Path) -> bool:
    """Tell whether an open file still stands at a path: the lock of one that does not protects nothing."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False
