"""A directory of a build for what is in between: downloads, unpacked archives, the rootfs that RUN works in.

It stands in the store, so on the disk that the image needs anyway. Whoever works in it holds its lock; what a killed
build left has none, and is removed by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sealpy.disk import make_private
from sealpy.image.store.blobs import telling_full_disk

__all__ = ["left", "remove", "sweep", "workspace"]

_DIRECTORY = "work"


@contextmanager
def workspace(root: Path) -> Iterator[Path]:
    """Make a directory below the root of a store, and remove it with all that is in it at the end."""
    directory = root / _DIRECTORY
    make_private(directory)
    sweep(root)
    with telling_full_disk(root), _own(directory) as path:
        try:
            yield path
        finally:
            remove(path)


def left(root: Path) -> list[Path]:
    """List the files in what killed builds left."""
    found = [path for path in _directories(root) if _is_nobodys(path)]
    return [file for path in found for file in path.rglob("*") if file.is_file() and not file.is_symlink()]


def sweep(root: Path) -> None:
    """Remove what killed builds left."""
    for path in _directories(root):
        _remove_nobodys(path)


def _directories(root: Path) -> list[Path]:
    return sorted((root / _DIRECTORY).iterdir()) if (root / _DIRECTORY).is_dir() else []


def _is_nobodys(path: Path) -> bool:
    with suppress(OSError), _opened(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def _own(directory: Path) -> Iterator[Path]:
    """Make a directory whose lock we hold, whatever another build removed between its making and its locking."""
    while True:
        path = Path(tempfile.mkdtemp(dir=directory))
        with suppress(FileNotFoundError), _opened(path) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.is_dir():
                yield path
                return


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove_nobodys(path: Path) -> None:
    with suppress(OSError), _opened(path) as descriptor:  # gone meanwhile, or somebody works in it
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(path)


def remove(path: Path) -> None:
    """Remove a directory with all that is in it, also what its owner may not read or enter."""
    _let_in(path)
    for directory, names, _ in os.walk(path):  # goes down after we have let ourselves in
        for name in names:
            _let_in(Path(directory, name))
    shutil.rmtree(path)


def _let_in(path: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
        path.chmod(mode | stat.S_IRWXU)
