"""One SSH connection: opened, verified, logged in; programs and tunnels run on its channels."""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import paramiko

from sealpy.connectors.handshake import Dial, dial, greet
from sealpy.connectors.hostkeys import HostKeys
from sealpy.connectors.login import Login
from sealpy.connectors.pipe import PipeClosedError, Source
from sealpy.connectors.pulse import LOOK, Pulse
from sealpy.connectors.seal import Load
from sealpy.connectors.target import Target
from sealpy.errors import ConnectError

__all__ = ["SessionRefusedError", "Wire"]

_PACKET_MARGIN = 64  # bytes of a packet that paramiko leaves free
_PACKETS = 4  # sent at once; with 8 it takes as long, and twice the memory
_READ = 256 * 1024
_PROHIBITED = 1  # why a tunnel is refused: the server does not allow any
_FORWARDING = "`AllowTcpForwarding yes`, and no `PermitOpen` against it, in sshd_config of {}"


class SessionRefusedError(Exception):
    """Tell that the server opens no further session now (`MaxSessions`); stays inside this package."""


class Wire:
    """Hold a connection that is logged in."""

    def __init__(self, target: Target, *, host_keys: HostKeys, ssh_dir: Path, connect: Dial = dial) -> None:
        """Connect, verify the host key, log in; raises ConnectError, HostKeyError, AuthError.

        `connect` leads to the machine, through others where need be. A server that ends the connection because too many
        keys were wrong (`MaxAuthTries`) is connected to again, for those that are left.
        """
        self._target = target
        with contextlib.closing(Login(target, ssh_dir)) as login:
            while not self._enter(login, host_keys, connect):
                self.close()
        self._pulse = Pulse(self._transport, every=target.keep_alive)

    def _enter(self, login: Login, host_keys: HostKeys, connect: Dial) -> bool:
        self._transport = greet(self._target, connect, host_keys)
        try:
            return login.run(self._transport)
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Tell whether the connection stands, as far as is known."""
        return self._transport.is_active()

    def open(self, argv: Sequence[str]) -> ChannelPipe:
        """Start a program; raises SessionRefusedError, PipeClosedError when the connection has gone."""
        try:
            channel = self._transport.open_session(timeout=self._target.connect_timeout)
            pipe = ChannelPipe(channel, self._transport, self._pulse)
            channel.exec_command(f"exec {shlex.join(argv)}")
        except paramiko.ChannelException as refused:
            raise SessionRefusedError from refused
        except (paramiko.SSHException, OSError, EOFError):
            raise PipeClosedError from None
        return pipe

    def tunnel(self, host: str, port: int, *, origin: tuple[str, int]) -> paramiko.Channel:
        """Open a connection from the machine to `host:port`; raises ConnectError."""
        try:
            return self._dig(host, port, origin)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._target.error(
                ConnectError,
                f"cannot reach {host}:{port} from there: {_why(error)}",
                hint=f"see that it listens, and that there is {_FORWARDING.format('the host')}",
            ) from error

    def lead(self, target: Target) -> paramiko.Channel:
        """Open a connection to another machine that is reached through this one; raises ConnectError."""
        try:
            return self._dig(target.dialled, target.port, ("127.0.0.1", 0))
        except (paramiko.SSHException, OSError, EOFError) as error:
            prohibited = isinstance(error, paramiko.ChannelException) and error.code == _PROHIBITED
            raise target.error(
                ConnectError,
                f"jump host {self._target.endpoint}: "
                + ("it lets nobody go further" if prohibited else f"it finds no way from there: {_why(error)}"),
                hint=f"there must be {_FORWARDING.format('the jump host')}"
                if prohibited
                else "see that the machine is up, and that its address and port are right as the jump host sees them",
            ) from error

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        self._transport.close()
        with contextlib.suppress(OSError, EOFError):
            self._transport.sock.close()

    def _dig(self, host: str, port: int, origin: tuple[str, int]) -> paramiko.Channel:
        return self._transport.open_channel("direct-tcpip", (host, port), origin, timeout=self._target.connect_timeout)


def _why(error: Exception) -> str:
    """Give the reason of a tunnel that was not opened, in our manner."""
    if isinstance(error, paramiko.ChannelException):
        return error.text.lower()
    return str(error).rstrip(".").lower() or "the connection was lost"


class ChannelPipe:
    """Hold the standard streams of a program at the other end."""

    def __init__(self, channel: paramiko.Channel, transport: paramiko.Transport, pulse: Pulse) -> None:
        self._channel = channel
        self._transport = transport
        self._pulse = pulse
        self._packet = channel.out_max_packet_size - _PACKET_MARGIN
        self._sources = (
            (Source.STDOUT, channel.recv_ready, channel.recv),
            (Source.STDERR, channel.recv_stderr_ready, channel.recv_stderr),
        )
        self._news = _News()
        channel.in_buffer.set_event(self._news)
        channel.in_stderr_buffer.set_event(self._news)

    @property
    def piece(self) -> int:
        """Give the number of bytes that fill some packets of SSH: more would leave one nearly empty."""
        return _PACKETS * self._packet

    @property
    def alive(self) -> bool:
        """Tell whether the connection still stands."""
        return self._transport.is_active()

    def write(self, data: bytes | memoryview, *, timeout: float) -> int:
        """Write what fits and give its length, 0 after `timeout` seconds; raises PipeClosedError."""
        self._channel.settimeout(max(0.0, timeout))
        try:
            sent = self._room(min(len(data), self.piece))
            load = Load(self._channel.remote_chanid, memoryview(data)[:sent], self._packet)
            self._transport._send_user_message(load)  # type: ignore[attr-defined] # noqa: SLF001 - `Channel.send` copies
        except TimeoutError:
            return 0
        except (OSError, EOFError, paramiko.SSHException):
            raise PipeClosedError from None
        if not sent:
            raise PipeClosedError
        return sent

    def _room(self, wanted: int) -> int:
        """Wait until the other side takes more, and promise to send so many bytes of what is wanted."""
        wait = self._channel._wait_for_send_window  # type: ignore[attr-defined] # noqa: SLF001 - as `Channel.send` does
        with self._channel.lock:
            room: int = 0 if self._channel.closed else wait(wanted)
            while 0 < room < wanted and self._channel.out_window_size:  # it gives room for one packet at a time
                room += wait(wanted - room)
        return room

    def read(self, *, timeout: float) -> tuple[Source, bytes] | None:
        """Give the next bytes and whose they are, None after `timeout` seconds; raises PipeClosedError at the end."""
        deadline = time.monotonic() + timeout
        while self._hear(deadline):
            self._news.forget()
            over = self._channel.eof_received or self._channel.closed
            for source, ready, receive in self._sources:
                if ready():
                    self._news.set()  # there may be more
                    return source, receive(_READ)
            if over:
                self._news.set()
                raise PipeClosedError
        return None

    def _hear(self, deadline: float) -> bool:
        """Wait for news, looking at the pulse meanwhile; tells whether there are any."""
        while not self._news.wait(max(0.0, min(LOOK, deadline - time.monotonic()))):
            self._pulse.check()
            if time.monotonic() >= deadline:
                return False
        return True

    def end_input(self) -> None:
        """Close the program's standard input."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.shutdown_write()

    def exit_status(self, *, timeout: float) -> int | None:
        """Wait for the program to end and give its exit status; None when it has none after `timeout` seconds."""
        self._channel.status_event.wait(timeout)
        status = self._channel.exit_status if self._channel.exit_status_ready() else -1
        return status if status >= 0 else None

    def close(self) -> None:
        """Let go of the streams; the program finds its input at its end."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()


class _News(threading.Event):
    """Wake the one reader of two buffers: a buffer that runs empty must not hide what the other holds."""

    def clear(self) -> None:
        """Do nothing: only the reader knows when it has seen both."""

    def forget(self) -> None:
        """Begin to wait for news."""
        super().clear()
