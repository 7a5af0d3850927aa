"""Become a plugin that is an executable: the protocol of `sealpy.sdk.child` on descriptors 3 and 4.

Both ends of the protocol stand where every language finds them; standard output and standard error are the plugin's
own; the leash on descriptor 5 is kept by the kernel across the exec.
"""

from __future__ import annotations

import fcntl
import os
import sys

from sealpy.sdk.leash import adopt_orphans, die_with

__all__ = ["PROTOCOL", "become"]

PROTOCOL = 1
_CALLS, _ANSWERS, _LEASH = 3, 4, 5
_NOT_STARTED = 127  # as a shell has it


def become() -> None:
    """Replace this process by the file named in argv, behind the three descriptors; does not return."""
    given = [int(word) for word in sys.argv[2:5]]
    path = sys.argv[5]
    die_with(given[2])
    adopt_orphans()
    aside = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10) for descriptor in given]
    for descriptor in given:
        os.close(descriptor)
    for descriptor, place in zip(aside, (_CALLS, _ANSWERS, _LEASH), strict=True):
        os.dup2(descriptor, place)  # which the program inherits
    try:
        os.execve(path, [path], {**os.environ, "SEALPY_PLUGIN_PROTOCOL": str(PROTOCOL)})  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"{path} cannot be started: {error.strerror}; is it made for this machine?\n")
        sys.stderr.flush()
        os._exit(_NOT_STARTED)
