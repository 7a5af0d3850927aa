"""Machines on the way to others: one connection to each jump host, shared by everything that goes through it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sealpy.connectors.hostkeys import HostKeys
from sealpy.connectors.interruption import Interruption
from sealpy.connectors.target import Target
from sealpy.errors import ConnectError
from sealpy.events import Emit

if TYPE_CHECKING:
    import paramiko

    from sealpy.connectors.handshake import Carrier
    from sealpy.connectors.wire import Wire

__all__ = ["Jumps"]

_EVERYBODYS = Path("/etc/ssh/ssh_known_hosts")


@dataclass(slots=True)
class _Hop:
    """Hold the connection to one jump host, while anything goes through it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    wire: Wire | None = None
    users: int = 0
    refusal: ConnectError | None = None


class Jumps:
    """Lead to machines that are reached through others; safe for use by many threads.

    A jump host sees one login, however many machines stand behind it, so its `MaxStartups` and its lock for failed
    logins are left in peace: what it has refused once is not tried again.
    """

    def __init__(
        self, *, known_hosts: Path, emit: Emit, ssh_dir: Path, interruption: Interruption | None = None
    ) -> None:
        self._known_hosts = known_hosts
        self._emit = emit
        self._ssh_dir = ssh_dir
        self._interruption = interruption or Interruption()
        self._hops: dict[tuple[Target, ...], _Hop] = {}
        self._guard = threading.Lock()

    def host_keys(self, target: Target) -> HostKeys:
        """Give what is known of a machine's keys."""
        theirs = target.user_known_hosts
        if theirs is None:
            theirs = (self._ssh_dir / "known_hosts",)
        return HostKeys(target, known_hosts=self._known_hosts, user_known_hosts=(*theirs, _EVERYBODYS), emit=self._emit)

    def connect(self, target: Target) -> Wire:
        """Connect to a machine, verify its host key and log in; raises ConnectError, HostKeyError, AuthError.

        Raises InterruptedRunError as soon as the run is to end: nothing has been begun there yet.
        """
        return self._interruption.heed(
            lambda: self._connect(target), what=f"the login on {target.endpoint}", late=lambda wire: wire.close()
        )

    def _connect(self, target: Target) -> Wire:
        from sealpy.connectors.wire import Wire  # noqa: PLC0415 - paramiko takes 126 ms, `sealpy --help` has 150

        return Wire(target, host_keys=self.host_keys(target), ssh_dir=self._ssh_dir, connect=self._dial)

    def _dial(self, target: Target) -> Carrier:
        if target.proxy_command:
            from sealpy.connectors.proxy import Proxy  # noqa: PLC0415 - few need it

            return Proxy(target)
        if not target.jumps:
            from sealpy.connectors.handshake import dial  # noqa: PLC0415 - see above

            return dial(target)
        with self._guard:
            hop = self._hops.setdefault(target.jumps, _Hop())
        wire = self._enter(hop, target)
        try:
            channel = wire.lead(target)
        except BaseException:
            self._leave(hop)
            raise
        return _Led(channel, self, hop)

    def _enter(self, hop: _Hop, target: Target) -> Wire:
        """Give the connection to the last jump host before the target; the first who needs it makes it."""
        with hop.lock:
            if hop.refusal is not None:
                raise _on_the_way(target, hop.refusal)
            if hop.wire is None or not hop.wire.alive:
                try:
                    hop.wire = self._connect(replace(target.jumps[-1], jumps=target.jumps[:-1]))
                except ConnectError as error:
                    hop.refusal = None if error.retryable else error
                    raise _on_the_way(target, error) from error
            hop.users += 1
            return hop.wire

    def _leave(self, hop: _Hop) -> None:
        """End the connection to a jump host with the last one that went through it."""
        with hop.lock:
            hop.users -= 1
            wire, hop.wire = (hop.wire, None) if not hop.users else (None, hop.wire)
        if wire is not None:
            wire.close()

    def left(self, hop: _Hop) -> None:
        """Note that one connection through a jump host has ended."""
        self._leave(hop)


def _on_the_way(target: Target, error: ConnectError) -> ConnectError:
    return target.error(type(error), f"jump host {error.message}", hint=error.hint)


class _Led:
    """Be the tunnel to one machine, and tell the jump host when it ends."""

    def __init__(self, channel: paramiko.Channel, jumps: Jumps, hop: _Hop) -> None:
        self._channel = channel
        self._jumps = jumps
        self._hop: _Hop | None = hop
        self._once = threading.Lock()
        self._closed = False  # by this name paramiko asks what carries it, as a socket has it
        self.recv = channel.recv
        self.send = channel.send
        self.settimeout = channel.settimeout

    def close(self) -> None:
        """End the tunnel; a second call does nothing."""
        with self._once:
            hop, self._hop = self._hop, None
        self._channel.close()
        self._closed = True
        if hop is not None:
            self._jumps.left(hop)
