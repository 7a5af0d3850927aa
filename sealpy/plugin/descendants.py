"""End a plugin's process and everything it has started, also what left its process group."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

__all__ = ["kill_tree"]

_ROUNDS = 20  # a stopped process starts nothing; what its children start meanwhile is found in the next round


def kill_tree(root: int) -> None:
    """Kill a process that leads its session, its group, and all processes below it.

    The process must not have been waited for yet, so that its number still means it. It adopts those that detach
    themselves (see `sealpy.sdk.child`), and it is stopped first, so that it stays their ancestor until all are gone.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(root, signal.SIGSTOP)
    for _ in range(_ROUNDS):
        below = _descendants(root)
        if not below:
            break
        for process in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(root, signal.SIGKILL)


def _descendants(root: int) -> set[int]:
    found: set[int] = set()
    waiting = [root]
    while waiting:
        below = [child for child in _children(waiting.pop()) if _lives(child)]
        found.update(below)
        waiting.extend(below)
    return found


def _children(process: int) -> list[int]:
    """Read the kernel's own list, of each thread of the process; looking through all of /proc would take 10 ms."""
    children: list[int] = []
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for task in Path(f"/proc/{process}/task").iterdir():
            children.extend(map(int, (task / "children").read_text(encoding="ascii").split()))
    return children


def _lives(process: int) -> bool:
    """Tell whether a process is more than a number that its parent, which is stopped, cannot take back."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"  # pid (name, which may hold anything) state …
