"""What gets its name when it is whole: files and directories that are written beside it until then.

A writer holds the lock of what it writes for as long as it lives, so what a killed one left is told from what another
is writing at this moment, and the next one that writes to the same name takes it away.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sealpy.errors import ConfigError

__all__ = ["directory_beside", "file_beside", "require_parent"]

_MARK = ".sealpy-"


def require_parent(out: Path) -> None:
    """Raise ConfigError when the directory that something is to be written in is not there: it may be misspelled."""
    parent = out.parent
    if parent.is_dir():
        return
    if parent.exists():
        raise ConfigError(f"{out}: {parent} is no directory", hint="name a place in a directory")
    raise ConfigError(f"{out}: there is no directory {parent}", hint=f"mkdir -p {shlex.quote(str(parent))}")


@contextmanager
def file_beside(out: Path) -> Iterator[BinaryIO]:
    """Write a file that everybody may read; it gets its name when the block ends well and it is safe on the disk."""
    with _held(out, _new_file) as beside:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o644)
        beside.replace(out)


@contextmanager
def directory_beside(out: Path) -> Iterator[Path]:
    """Make a directory that goes with the end of the block; what is to stay is given its name before, by `replace`."""
    with _held(out, tempfile.mkdtemp) as beside:
        yield beside


@contextmanager
def _held(out: Path, make: Callable[[None, str, Path], str]) -> Iterator[Path]:
    prefix = f".{out.name}{_MARK}"
    for left in out.parent.glob(f"{glob.escape(prefix)}*"):
        _remove_nobodys(left)
    beside, descriptor = _locked(lambda: Path(make(None, prefix, out.parent)))
    try:
        yield beside
    finally:
        _remove(beside)
        os.close(descriptor)


def _locked(make: Callable[[], Path]) -> tuple[Path, int]:
    """Make something and hold its lock, whatever another that tidies up did between the two."""
    while True:
        path = make()
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            with suppress(OSError):  # a file system without locks: then nobody takes away what others left
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists():
                return path, descriptor
            os.close(descriptor)


def _new_file(suffix: None, prefix: str, directory: Path) -> str:
    descriptor, name = tempfile.mkstemp(suffix, prefix, directory)
    os.close(descriptor)
    return name


def _remove_nobodys(path: Path) -> None:
    with suppress(OSError):  # gone meanwhile, or somebody else's
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove what was begun, directories that forbid it to their owner included."""
    if path.is_dir():
        for directory, _, _ in os.walk(path):
            Path(directory).chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
