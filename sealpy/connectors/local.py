"""This machine as a host: the same resident shell on a local process."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager

from sealpy.connectors.pipe import PipeClosedError, Source
from sealpy.connectors.runner import Runner
from sealpy.connectors.sudo import Sudo
from sealpy.sdk import Result

__all__ = ["LocalConnector", "LocalPipe"]

_READ = 256 * 1024
_PIECE = 64 * 1024


class LocalPipe:
    """Hold the standard streams of a process of this machine."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, cwd="/"
        )
        process = self._process
        if not (process.stdin and process.stdout and process.stderr):
            raise PipeClosedError
        self._stdin = process.stdin
        os.set_blocking(self._stdin.fileno(), False)
        self._readable = selectors.DefaultSelector()
        self._readable.register(process.stdout, selectors.EVENT_READ, Source.STDOUT)
        self._readable.register(process.stderr, selectors.EVENT_READ, Source.STDERR)
        self._writable = selectors.DefaultSelector()
        self._writable.register(self._stdin, selectors.EVENT_WRITE)

    @property
    def piece(self) -> int:
        """Give the size of a pipe's buffer."""
        return _PIECE

    @property
    def alive(self) -> bool:
        """Tell that this machine stands."""
        return True

    def write(self, data: bytes | memoryview, *, timeout: float) -> int:
        """Write what fits and give its length, 0 after `timeout` seconds; raises PipeClosedError."""
        if not self._writable.select(max(0.0, timeout)):
            return 0
        try:
            return os.write(self._stdin.fileno(), data)
        except BlockingIOError:
            return 0
        except (BrokenPipeError, ValueError):
            raise PipeClosedError from None

    def read(self, *, timeout: float) -> tuple[Source, bytes] | None:
        """Give the next bytes and whose they are, None after `timeout` seconds; raises PipeClosedError at the end."""
        deadline = time.monotonic() + timeout
        while self._readable.get_map():
            ready = self._readable.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            key, _ = ready[0]
            if data := os.read(key.fd, _READ):
                return key.data, data
            self._readable.unregister(key.fileobj)
        raise PipeClosedError

    def end_input(self) -> None:
        """Close the program's standard input."""
        self._stdin.close()

    def exit_status(self, *, timeout: float) -> int | None:
        """Wait for the program to end; one that a signal ended has 128 and the signal's number, as in a shell."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return status if status >= 0 else 128 - status

    def close(self) -> None:
        """End the program's input and let go of its output."""
        self._readable.close()
        self._writable.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        if self.exit_status(timeout=1.0) is None:
            self._process.kill()
            self._process.wait()


class LocalConnector:
    """Run commands on this machine, as the account of this process or as root through sudo."""

    def __init__(self, address: str = "127.0.0.1", *, sudo: Sudo | None = None) -> None:
        self._address = address
        self._runner = Runner(address, LocalPipe, sudo=sudo)

    @property
    def address(self) -> str:
        """Give the address that names this machine in messages."""
        return self._address

    @property
    def round_trips(self) -> int:
        """Count the exchanges so far: one per command."""
        return self._runner.round_trips

    def connect(self) -> None:
        """Begin the shell now instead of at the first command; raises AuthError when sudo refuses."""
        self._runner.shell()

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Iterable[tuple[str, str]] = (),
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Result:
        """Run a command and wait for it; a command past `timeout` seconds is ended there and raises CommandError."""
        return self._runner.run(argv, stdin=stdin, env=env, timeout=timeout, on_line=on_line)

    def stream(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        timeout: float = 3600.0,
        on_sent: Callable[[int], None] | None = None,
    ) -> Result:
        """Feed chunks to a command's standard input; `on_sent` receives the bytes sent so far."""
        return self._runner.stream(argv, chunks, timeout=timeout, on_sent=on_sent)

    @contextmanager
    def forward(self, host: str, port: int) -> Generator[tuple[str, int]]:
        """Give the address itself: what this machine reaches needs no way through another."""
        yield host, port

    def close(self) -> None:
        """End the shell; a second call does nothing."""
        self._runner.drop()
