"""The exit codes: what each says to who calls sealpy, on one page."""

from __future__ import annotations

from typing import Final

__all__ = ["BUG", "EXITS", "SIGPIPE"]

BUG: Final = 70  # EX_SOFTWARE
SIGPIPE: Final = 141  # what a shell reports for a program that its reader left

# Those of errors.py, which the help does not import; a test compares them.
EXITS: Final = {
    0: "done, or nothing to do",
    1: "this machine refused: a disk that is full, a file that may not be written",
    2: "a mistake in what was typed or in a file, a FROM that cannot be had, a wrong plugin, a failed trial",
    3: "a machine or its cluster: not reached, refused, a command or a check that failed",
    4: "a phase or a plugin failed in the middle of a run; the same command goes on there",
    5: "an image or its registry: not there, damaged, refused, not signed by whom it should be",
    6: "something did not become ready in time",
    7: "done, but not on hosts that --max-fail let go",
    BUG: "a bug in sealpy: the traceback stands in the file that is named",
    130: "interrupted by Ctrl-C, or by a no to what was asked",
    SIGPIPE: "the reader of a pipe went away",
}
