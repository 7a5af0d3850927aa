"""A `ProxyCommand`: a program of the operator's that leads to a machine, which speaks through its standard streams.

paramiko has one too, which reads byte by byte, waits in a loop and lets go of what the program says. Here the program
holds one end of a pair of sockets, and what paramiko gets is the other one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
from typing import IO

from sealpy.connectors.target import Target
from sealpy.disk import reason_of
from sealpy.errors import ConnectError

__all__ = ["Proxy"]

_LAST_WORDS = 4096  # bytes of what the program has told last
_PATIENCE = 2.0  # seconds in which a program is to end when it is told to
_AT_ONCE = 0.1  # and in which one that leads nowhere has ended by itself


class Proxy:
    """Carry bytes through a program, in place of a socket; raises ConnectError when there is no shell to start it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._closed = False  # by this name paramiko asks what carries it, as a socket has it
        self._once = threading.Lock()
        self._spoke = False
        self._refusal: ConnectError | None = None
        with contextlib.ExitStack() as undo:
            self._socket, theirs = (undo.enter_context(end) for end in socket.socketpair())
            self._told = undo.enter_context(tempfile.TemporaryFile())
            self._process = _started(target, theirs, self._told)
            theirs.close()
            undo.pop_all()
        self.send = self._socket.send
        self.settimeout = self._socket.settimeout

    def recv(self, nbytes: int, /) -> bytes:
        """Give the next bytes, none at the end."""
        data = self._socket.recv(nbytes)
        self._spoke = self._spoke or bool(data)
        return data

    def refusal(self) -> ConnectError | None:
        """Close, and give why the program led nowhere, in its own words; None when something has come through it."""
        self.close()
        return None if self._spoke else self._refusal

    def close(self) -> None:
        """End the program, and all it has started; one through which nothing came is left a moment to say why."""
        with self._once:
            if self._closed:
                return
            self._closed = True
            self._socket.close()
            if self._spoke or not self._ends(_AT_ONCE):
                self._refusal = self._failure("led to nothing that answers")
                self._end()
            elif status := self._process.returncode:
                by = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
                self._refusal = self._failure(by)
            self._told.close()

    def _failure(self, how: str) -> ConnectError:
        told = self._last_line()
        hint = f"run it by hand: ssh {self._target.dialled}"
        return self._target.error(ConnectError, f"its ProxyCommand {how}{told and f': {told}'}", hint=hint)

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        if not self._ends(_PATIENCE):
            self._signal(signal.SIGKILL)
            self._ends(_PATIENCE)

    def _ends(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has gone, or become another user's by sudo
            os.killpg(self._process.pid, number)

    def _last_line(self) -> str:
        size = self._told.seek(0, os.SEEK_END)
        self._told.seek(max(0, size - _LAST_WORDS))
        lines = self._told.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def _started(target: Target, streams: socket.socket, told: IO[bytes]) -> subprocess.Popen[bytes]:
    shell = os.environ.get("SHELL") or "/bin/sh"
    try:
        return subprocess.Popen(
            [shell, "-c", f"exec {target.proxy_command}"],  # as OpenSSH starts it
            stdin=streams.fileno(),
            stdout=streams.fileno(),
            stderr=told,
            start_new_session=True,  # Ctrl-C at the terminal is for us: what was begun is finished through it
        )
    except OSError as error:
        message = f"its ProxyCommand cannot be started by {shell}: {reason_of(error)}"
        raise target.error(ConnectError, message, hint="see that $SHELL names a shell") from error
