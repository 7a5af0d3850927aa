"""Keep a plugin's process, and what it starts, from outliving sealpy."""

from __future__ import annotations

import fcntl
import os
import select
import signal

__all__ = ["adopt_orphans", "die_with"]

_SET_CHILD_SUBREAPER = 36  # of prctl(2)


def die_with(lifeline: int) -> None:
    """Have the kernel kill this process group when sealpy, which holds the other end of a pipe, is gone.

    Nothing is ever written to that pipe, so the one thing that can be signalled of it is its end. No code of ours needs
    to run for that, so it also reaches a plugin that hangs in C code, and what the plugin has started.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | fcntl.FASYNC)
    poll = select.poll()
    poll.register(lifeline, 0)  # only the hang-up, which is always reported
    if poll.poll(0):  # it was gone before we asked for the signal
        os._exit(1)


def adopt_orphans() -> None:
    """Stay the ancestor of what the plugin starts and detaches, so that sealpy finds it when it ends the call."""
    import ctypes  # noqa: PLC0415 - used once

    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)
