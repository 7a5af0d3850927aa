"""The processes of a server that runs for a test: to be stopped, ended, waited for."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sealpy.testing.sshd import Sshd

__all__ = ["family", "frozen", "kill", "sessions_of", "wait_for"]


def sessions_of(server: Sshd) -> list[int]:
    """Give the processes of sshd that serve connections, without the one that listens."""
    return family(server)[1:]


def family(server: Sshd) -> list[int]:
    """Give the process that listens and all below it that are still sshd."""
    parents = {pid: parent for pid, parent, name in _processes() if name.startswith("sshd")}
    found = [pid for pid in parents if str(server.log.parent / "sshd_config") in _words(pid)]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid and child not in found)
    return found


@contextlib.contextmanager
def frozen(server: Sshd) -> Iterator[None]:
    """Stop a server and its sessions as a machine that hangs: connections stand, and nobody answers."""
    kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        kill(server, signal.SIGCONT)


def kill(server: Sshd, number: signal.Signals) -> None:
    """Send a signal to a server and all its sessions."""
    for pid in family(server):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_for(so: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait until it is so; fails when it is not in time."""
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


def _processes() -> Iterator[tuple[int, int, str]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text()
            name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :]
            yield int(stat.parent.name), int(rest.split()[1]), name


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
