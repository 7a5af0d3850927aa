"""One SSH connection: opened, verified, logged in; programs and tunnels run on its channels."""

from __future__ import annotations

import contextlib
import logging
import shlex
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import paramiko

from sealpy.connectors.hostkeys import HostKey, HostKeys
from sealpy.connectors.login import log_in
from sealpy.connectors.pipe import PipeClosedError, Source
from sealpy.connectors.target import Target
from sealpy.errors import ConnectError

__all__ = ["SessionRefusedError", "Wire"]

_WINDOW = 4 * 1024 * 1024  # bytes in flight towards us
_PACKET = 32 * 1024
_PACKET_MARGIN = 64  # bytes of a packet that paramiko leaves free
_READ = 256 * 1024
_KEEPALIVE = 15  # seconds
_DEAD = 60_000  # milliseconds without an answer to what was sent, after which the kernel gives the connection up
_AUTH = 30.0  # seconds for one way of logging in; PAM is slow to say no
_LOG = "sealpy.ssh"

# AES-GCM does cipher and checksum at once in the processor; paramiko lists it last. What is weak is not offered.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_DIGESTS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")


class SessionRefusedError(Exception):
    """Tell that the server opens no further session now (`MaxSessions`); stays inside this package."""


class Wire:
    """Hold a connection that is logged in."""

    def __init__(self, target: Target, *, host_keys: HostKeys, ssh_dir: Path) -> None:
        """Connect, verify the host key, log in; raises ConnectError, HostKeyError, AuthError."""
        self._target = target
        self._transport = _greet(target, _dial(target), host_keys)
        try:
            log_in(self._transport, target, ssh_dir=ssh_dir)
        except BaseException:
            self._transport.close()
            raise
        self._transport.set_keepalive(_KEEPALIVE)

    @property
    def alive(self) -> bool:
        """Tell whether the connection stands, as far as is known."""
        return self._transport.is_active()

    def open(self, argv: Sequence[str]) -> ChannelPipe:
        """Start a program; raises SessionRefusedError, PipeClosedError when the connection has gone."""
        try:
            channel = self._transport.open_session(timeout=self._target.connect_timeout)
            pipe = ChannelPipe(channel, self._transport)
            channel.exec_command(f"exec {shlex.join(argv)}")
        except paramiko.ChannelException as refused:
            raise SessionRefusedError from refused
        except (paramiko.SSHException, OSError, EOFError):
            raise PipeClosedError from None
        return pipe

    def tunnel(self, host: str, port: int, *, origin: tuple[str, int]) -> paramiko.Channel:
        """Open a connection from the machine to `host:port`; raises ConnectError."""
        try:
            return self._transport.open_channel(
                "direct-tcpip", (host, port), origin, timeout=self._target.connect_timeout
            )
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._target.error(
                ConnectError,
                f"cannot reach {host}:{port} from there: {error}",
                hint="see that it listens, and that sshd_config of the host says `AllowTcpForwarding yes`",
            ) from error

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        self._transport.close()


class ChannelPipe:
    """Hold the standard streams of a program at the other end."""

    def __init__(self, channel: paramiko.Channel, transport: paramiko.Transport) -> None:
        self._channel = channel
        self._transport = transport
        self._sources = (
            (Source.STDOUT, channel.recv_ready, channel.recv),
            (Source.STDERR, channel.recv_stderr_ready, channel.recv_stderr),
        )
        self._news = _News()
        channel.in_buffer.set_event(self._news)
        channel.in_stderr_buffer.set_event(self._news)

    @property
    def piece(self) -> int:
        """Give the number of bytes that fill one packet of SSH: more would leave a second one nearly empty."""
        return self._channel.out_max_packet_size - _PACKET_MARGIN

    @property
    def alive(self) -> bool:
        """Tell whether the connection still stands."""
        return self._transport.is_active()

    def write(self, data: bytes | memoryview, *, timeout: float) -> int:
        """Write what fits and give its length, 0 after `timeout` seconds; raises PipeClosedError."""
        self._channel.settimeout(max(0.0, timeout))
        try:
            sent = self._channel.send(data)  # type: ignore[arg-type] # a view saves a copy; the stubs know bytes alone
        except TimeoutError:
            return 0
        except (OSError, EOFError, paramiko.SSHException):
            raise PipeClosedError from None
        if not sent:
            raise PipeClosedError
        return sent

    def read(self, *, timeout: float) -> tuple[Source, bytes] | None:
        """Give the next bytes and whose they are, None after `timeout` seconds; raises PipeClosedError at the end."""
        deadline = time.monotonic() + timeout
        while self._news.wait(max(0.0, deadline - time.monotonic())):
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


def _dial(target: Target) -> socket.socket:
    try:
        sock = socket.create_connection((target.address, target.port), timeout=target.connect_timeout)
    except TimeoutError as error:
        message = f"no answer within {target.connect_timeout:g} s"
        raise target.error(
            ConnectError, message, hint="see that the machine is up and no firewall is between"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise target.error(ConnectError, reason, hint="see that address and port are right and sshd runs") from error
    # Without TCP_NODELAY each exchange waits for the delayed acknowledgement of the one before: 46 ms instead of 3.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD)
    return sock


def _greet(target: Target, sock: socket.socket, host_keys: HostKeys) -> paramiko.Transport:
    """Agree on algorithms and see who is there; nothing secret has been sent when this returns or raises."""
    transport = paramiko.Transport(sock, default_window_size=_WINDOW, default_max_packet_size=_PACKET)
    log = logging.getLogger(_LOG)
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # else Python writes what paramiko logs to stderr
    transport.set_log_channel(_LOG)
    transport.banner_timeout = transport.handshake_timeout = target.connect_timeout
    transport.auth_timeout = _AUTH
    options = transport.get_security_options()
    options.ciphers = [name for name in _CIPHERS if name in options.ciphers]
    options.digests = [name for name in _DIGESTS if name in options.digests]
    options.key_types = _in_order(options.key_types, host_keys.algorithms())
    try:
        transport.start_client(timeout=target.connect_timeout)
        key = transport.get_remote_server_key()
        host_keys.check(HostKey(key.get_name(), key.asbytes()))
    except BaseException as error:
        transport.close()
        if isinstance(error, paramiko.SSHException | OSError | EOFError):
            raise _no_greeting(target, error) from error
        raise
    return transport


def _in_order(offered: Sequence[str], known: Sequence[str]) -> list[str]:
    """Put those first that belong to a key which is known; an RSA key serves three signature algorithms."""
    families = [("rsa-sha2-512", "rsa-sha2-256") if name == "ssh-rsa" else (name,) for name in known]
    first = [name for family in families for name in family if name in offered]
    return list(dict.fromkeys((*first, *offered)))


def _no_greeting(target: Target, error: Exception) -> ConnectError:
    text = str(error)
    if isinstance(error, paramiko.SSHException) and "banner" in text.lower():
        return target.error(ConnectError, "what answers there is no SSH server", hint="see that the port is right")
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        hint = "allow aes256-gcm@openssh.com, hmac-sha2-256 and curve25519-sha256 in sshd_config of the host"
        return target.error(ConnectError, f"no algorithm in common: {text}", hint=hint)
    reason = text or type(error).__name__
    return target.error(
        ConnectError,
        f"the SSH handshake failed within {target.connect_timeout:g} s: {reason}",
        hint="try again; the host may be too busy (`MaxStartups` in sshd_config)",
    )
