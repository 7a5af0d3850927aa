"""one file per transport: ssh, local.

A Connector performs commands on one machine as one account. Commands are lists of words, quoted in one place. One
connection per host for the whole run and one resident shell on it: a command costs a round trip, not a login.

Where this is other than the design said, and why:

- paramiko is not in `ssh.py` alone: `handshake.py` meets a server, `keys.py` and `login.py` log in, `pulse.py` sees
  whether it lives, `wire.py` runs programs. Each fits on a few screens, and `ssh.py` itself imports none of them before
  the first connection, as paramiko takes 126 ms of the 150 that `sealpy --help` has.
- `~/.ssh/config` is read by `sshconfig.py`, not by paramiko, which knows neither `Include` nor lines, and its
  `ProxyCommand` loses what the program says: `proxy.py` starts it as OpenSSH does, tells how it ended, and ends it.
- `StrictHostKeyChecking no` still stops at a changed key; only `--host-keys insecure` does not, for one run.
- The limit for connecting is not a number: a jump host sees one login however many machines stand behind it, and a
  server that is too busy to greet is asked again after a pause that chance makes longer.
- Keys, agent and password are tried over as many connections as `MaxAuthTries` asks for, eight keys at most. A
  password is for the machine it was given for: no jump host sees those of the machines behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sealpy.sdk import Result

__all__ = ["Connector"]


class Connector(Protocol):
    """Reach one machine; every method may raise the HostError family. Not for use by two threads at once."""

    @property
    def address(self) -> str:
        """Give the address that names this machine in messages."""
        ...

    @property
    def round_trips(self) -> int:
        """Count the exchanges so far: one per command."""
        ...

    def connect(self) -> None:
        """Connect now, or again where the connection was lost, instead of at the next command."""
        ...

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
        ...

    def stream(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        timeout: float = 3600.0,
        on_sent: Callable[[int], None] | None = None,
    ) -> Result:
        """Feed chunks to a command's standard input; `on_sent` receives the bytes sent so far."""
        ...

    def forward(self, host: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Give a local address and port that lead, while the block runs, to where this machine reaches `host:port`."""
        ...

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        ...
