"""Who holds a lock on a file: told by the kernel's list of locks."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["holders"]

_LOCKS = Path("/proc/locks")
_FIELDS = 6  # 1: FLOCK ADVISORY READ 4711 fe:00:1234 …


def holders(path: Path, *, locks: Path = _LOCKS) -> tuple[int, ...]:
    """Give the ids of the processes that hold a lock on a file; none where the system does not tell.

    Source: proc_locks(5). Processes of other containers have no id here and are left out.
    """
    found: set[int] = set()
    with suppress(OSError):
        status = path.stat()
        device, inode = (os.major(status.st_dev), os.minor(status.st_dev)), status.st_ino
        for line in locks.read_text("utf-8").splitlines():
            words = line.split()
            if len(words) < _FIELDS or words[1] == "->":  # waits for the lock
                continue
            major, minor, number = words[5].split(":")
            if ((int(major, 16), int(minor, 16)), int(number)) == (device, inode) and int(words[4]) > 0:
                found.add(int(words[4]))
    return tuple(sorted(found))
