"""The first lines of the program: whoever stops it while it loads sees no traceback."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

_INTERRUPTED = 130  # the exit code of an InterruptedRunError


def main() -> None:
    """Load the command line and run it.

    Until it is loaded Ctrl-C ends the process on the spot: nothing is begun that had to be put in order, and an
    exception might be lost, or reported by somebody, in the middle of an import. Nothing is imported before that, as
    `signal` alone takes longer than all of this.
    """
    try:
        import signal

        before = signal.getsignal(signal.SIGINT)
        if before is signal.default_int_handler:  # else whoever started us wants it ignored
            signal.signal(signal.SIGINT, _leave)
        from sealpy.cli.app import main as run

        signal.signal(signal.SIGINT, before)
        run()
    except KeyboardInterrupt:  # before it could be told, or after
        sys.exit(_INTERRUPTED)


def _leave(_number: int, _frame: object) -> None:
    os._exit(_INTERRUPTED)
