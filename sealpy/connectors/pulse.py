"""Find out within bounded time that the other side of a connection has gone, whatever we are doing just then."""

from __future__ import annotations

import threading
import time
from typing import Any

import paramiko

from sealpy.connectors.seal import Sealer

__all__ = ["LOOK", "Ear", "Pulse"]

LOOK = 1.0  # seconds at most between two looks at the pulse while something is waited for
_PATIENCE = 4  # signs of life that may be missing
_ASK = "keepalive@openssh.com"  # every server answers, be it that it does not know the request


class Ear(Sealer):
    """Remember when the other side was last heard, and what it said before it spoke SSH."""

    def __init__(self, carrier: Any) -> None:
        super().__init__(carrier)
        self.heard = time.monotonic()
        self.said: list[str] = []

    def readline(self, timeout: float) -> str:
        """Read a line of the greeting."""
        line = super().readline(timeout)
        self.said.append(line)
        return line

    def read_message(self) -> tuple[int, Any]:
        """Read a packet."""
        message = super().read_message()
        self.heard = time.monotonic()
        return message


class Pulse:
    """Ask for a sign of life whenever nothing else is said, and end the connection when none comes.

    The kernel finds a dead machine by itself when it is connected to it; it does not find a server that has stopped,
    nor anything behind a jump host. Two look: the thread that reads, and whoever waits, for either may be the one that
    is stuck in a write which nobody takes.
    """

    def __init__(self, transport: paramiko.Transport, *, every: float) -> None:
        """Begin to ask `every` so many seconds."""
        self._transport = transport
        self._patience = every * _PATIENCE
        transport.packetizer.set_keepalive(every, self._beat)

    def check(self) -> None:
        """End the connection if the other side has been silent for too long."""
        ear = self._transport.packetizer
        silent = time.monotonic() - ear.heard if isinstance(ear, Ear) else 0.0
        if self._transport.is_active() and silent > self._patience:
            self._transport.close()

    def _beat(self) -> None:
        """Ask, from a thread of its own, as the answer is read by the thread that calls this."""
        self.check()
        if self._transport.is_active():
            ask = threading.Thread(
                target=self._transport.global_request, args=(_ASK,), kwargs={"wait": True}, daemon=True
            )
            ask.start()
