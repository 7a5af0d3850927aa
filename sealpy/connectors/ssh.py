"""A machine behind SSH: one connection, one resident shell, streams and tunnels beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sealpy.connectors.forward import forwarded
from sealpy.connectors.jump import Jumps
from sealpy.connectors.pipe import OpenPipe, Pipe
from sealpy.connectors.runner import Runner
from sealpy.connectors.sudo import Sudo
from sealpy.connectors.target import Target
from sealpy.errors import ConnectError
from sealpy.sdk import Result

if TYPE_CHECKING:
    from sealpy.connectors.wire import Wire

__all__ = ["SshConnector"]

_SESSION = 5.0  # seconds a server may take to see that the session before has ended


class SshConnector:
    """Run commands on a machine by SSH; connects at the first use, and again when the connection was lost before it."""

    def __init__(self, target: Target, jumps: Jumps) -> None:
        """Take the machine, and the jump hosts that this connection shares with others."""
        self._target = target
        self._jumps = jumps
        self._wire: Wire | None = None
        sudo = None if target.user == "root" else Sudo(target.sudo_password or target.password)
        self._runner = Runner(target.address, self._open, sudo=sudo, aside=self._aside)

    @property
    def address(self) -> str:
        """Give the address that names this machine in messages."""
        return self._target.address

    @property
    def round_trips(self) -> int:
        """Count the exchanges so far: one per command."""
        return self._runner.round_trips

    @property
    def connected(self) -> bool:
        """Tell whether there is a connection, as far as is known."""
        return self._wire is not None and self._wire.alive

    def connect(self) -> None:
        """Connect and begin the shell now; raises ConnectError, HostKeyError, AuthError."""
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
        """Listen on a local port while the block runs; what connects to it reaches `host:port` from the machine.

        Gives the local address and port. May be used by other threads while commands run. Raises ConnectError.
        When the connection was lost meanwhile, what connects goes through the one that a command has made since.
        """
        first = self._connected()
        with forwarded(lambda origin: (self._wire or first).tunnel(host, port, origin=origin)) as local:
            yield local

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        self._runner.drop()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _connected(self) -> Wire:
        if self._wire is None or not self._wire.alive:
            self.close()
            self._wire = self._jumps.connect(self._target)
        return self._wire

    @contextmanager
    def _aside(self) -> Generator[OpenPipe]:
        """Lend a second connection, for when a stream holds the only session that the first one may have."""
        wire = self._jumps.connect(self._target)
        try:
            yield wire.open
        finally:
            wire.close()

    def _open(self, argv: Sequence[str]) -> Pipe:
        """Start a program; where the server has one session only (`MaxSessions 1`), the shell makes room for it."""
        from sealpy.connectors.wire import SessionRefusedError  # noqa: PLC0415 - paramiko takes 126 ms, `sealpy --help` 150

        wire = self._connected()
        deadline = time.monotonic() + _SESSION
        while True:
            try:
                return wire.open(argv)
            except SessionRefusedError as refused:
                self._runner.drop()
                if time.monotonic() > deadline:
                    raise self._target.error(
                        ConnectError,
                        "the host opens no session",
                        hint="set `MaxSessions` in its sshd_config to 10, which is the default",
                    ) from refused
                time.sleep(0.05)
