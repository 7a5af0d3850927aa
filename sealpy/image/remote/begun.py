"""Where an upload goes on: noted in a file, so that the next process can when this one is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path

__all__ = ["SUFFIX", "Begun", "begun_upload"]

SUFFIX = ".upload"
_END = b"\n"


class Begun:
    """Know the URL at which an upload goes on, "" for one that was not begun, and how many bytes `arrived` before."""

    def __init__(self, file: FileIO | None = None) -> None:
        """Read and write an open file, or keep nothing beyond this process."""
        self._file = file
        self.arrived = 0
        text = file.read() if file else b""
        self.at = text.removesuffix(_END).decode("ascii", "replace") if text.endswith(_END) else ""

    def note(self, at: str) -> None:
        """Remember where the next bytes go."""
        if at == self.at:
            return
        self.at = at
        if self._file:
            with suppress(OSError):  # a full disk: then a killed push begins this blob anew
                self._file.seek(0)
                self._file.truncate()
                self._file.write(at.encode("ascii", "replace") + _END)


@contextmanager
def begun_upload(path: Path) -> Iterator[Begun]:
    """Keep where an upload goes on until the block ends well. The URL may open a door: the file is its owner's alone.

    Two processes never send to one upload: the second one begins its own, which is not noted, as on a full disk.
    """
    with ExitStack() as stack:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            file = stack.enter_context(os.fdopen(descriptor, "r+b", buffering=0))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield Begun()
            return
        yield Begun(file)
        path.unlink(missing_ok=True)
