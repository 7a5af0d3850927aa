"""End a plugin's process and everything it has started, also what left its process group."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
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
    children: dict[int, list[int]] = {}
    for process, parent in _living():
        children.setdefault(parent, []).append(process)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting.extend(below)
    return found


def _living() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # pid (name, which may hold anything) state parent …
                state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                if state != "Z":
                    yield int(entry.name), int(parent)
