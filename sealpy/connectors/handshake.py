"""From an address to an encrypted connection with the machine that was meant; nothing secret is sent here."""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import paramiko

from sealpy.connectors.hostkeys import HostKey, HostKeys
from sealpy.connectors.proxy import Proxy
from sealpy.connectors.pulse import Ear
from sealpy.connectors.target import Target
from sealpy.disk import reason_of
from sealpy.errors import ConnectError

__all__ = ["Carrier", "Dial", "dial", "greet"]

_WINDOW = 4 * 1024 * 1024  # bytes in flight towards us
_PACKET = 32 * 1024
_DEAD = 60_000  # milliseconds without an answer to what was sent, after which the kernel gives the connection up
_AUTH = 30.0  # seconds for one way of logging in; PAM is slow to say no
_LOG = "sealpy.ssh"
_TRIES = 6  # of a server that is too busy to greet: 0.3 + 0.6 + 1.2 + 2.4 + 4.8 s at most
_FIRST_PAUSE = 0.15  # seconds, doubled each time and up to twice as long by chance, so that not all come back at once
_TOO_BUSY = ("Exceeded MaxStartups", "Not allowed at this time")  # what OpenSSH says instead of its greeting

# AES-GCM does cipher and checksum at once in the processor; paramiko lists it last. What is weak is not offered.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_DIGESTS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
_CERTIFICATES = tuple(
    f"{key}-cert-v01@openssh.com"
    for key in (
        *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
        *("rsa-sha2-512", "rsa-sha2-256"),
    )
)


class Carrier(Protocol):
    """Carry bytes to a machine: a socket, or a tunnel through another machine."""

    def recv(self, nbytes: int, /) -> bytes:
        """Give the next bytes, none at the end."""
        ...

    def send(self, data: bytes, /) -> int:
        """Write what fits and give its length."""
        ...

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound how long the others wait, in seconds."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


Dial = Callable[[Target], Carrier]


class _TooBusyError(Exception):
    """Tell that a server hung up before it said who it is."""


def dial(target: Target) -> socket.socket:
    """Connect to a machine that is reached directly; raises ConnectError."""
    try:
        sock = socket.create_connection((target.dialled, target.port), timeout=target.connect_timeout)
    except TimeoutError as error:
        message = f"no answer within {target.connect_timeout:g} s"
        raise target.error(
            ConnectError, message, hint="see that the machine is up and no firewall is between"
        ) from error
    except OSError as error:
        reason = reason_of(error)
        raise target.error(ConnectError, reason, hint="see that address and port are right and sshd runs") from error
    # Without TCP_NODELAY each exchange waits for the delayed acknowledgement of the one before: 46 ms instead of 3.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD)
    return sock


def greet(target: Target, connect: Dial, host_keys: HostKeys) -> paramiko.Transport:
    """Connect, agree on algorithms and see who is there; raises ConnectError, HostKeyError.

    A server that hangs up unseen is asked again: with `MaxStartups 10:30:100` it does so by chance when many log in.
    """
    for number in range(1, _TRIES + 1):
        try:
            return _greet(target, connect(target), host_keys)
        except _TooBusyError as busy:
            if number == _TRIES:
                raise target.error(
                    ConnectError,
                    f"it hangs up before the login, {_TRIES} times now",
                    hint="see the log of sshd there: `MaxStartups` in sshd_config, or a rule against this machine",
                ) from busy
            time.sleep(_FIRST_PAUSE * 2**number * (1 + random.random()) / 2)  # noqa: S311 - spreads, hides nothing
    raise AssertionError("the last try returns or raises")


def _greet(target: Target, carrier: Carrier, host_keys: HostKeys) -> paramiko.Transport:
    transport = paramiko.Transport(
        carrier,  # type: ignore[arg-type] # stubs say socket; any object with these four methods does, as documented
        default_window_size=_WINDOW,
        default_max_packet_size=_PACKET,
        packetizer_class=Ear,
    )
    log = logging.getLogger(_LOG)
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # else Python writes what paramiko logs to stderr
    transport.set_log_channel(_LOG)
    transport.banner_timeout = transport.handshake_timeout = target.connect_timeout
    transport.auth_timeout = _AUTH
    options = transport.get_security_options()
    options.ciphers = [name for name in _CIPHERS if name in options.ciphers]
    options.digests = [name for name in _DIGESTS if name in options.digests]
    # paramiko adds the certificates of each type by itself, but last, where no server that has the key sends one.
    certificates = _CERTIFICATES if host_keys.has_authority else ()
    options.key_types = [*certificates, *_in_order(options.key_types, host_keys.algorithms())]
    begun = time.monotonic()
    try:
        transport.start_client(timeout=target.connect_timeout)
        key = transport.get_remote_server_key()
        certificate = key.public_blob.key_blob if key.public_blob else b""
        host_keys.check(HostKey(key.get_name(), key.asbytes(), certificate))
    except BaseException as error:
        transport.close()
        with contextlib.suppress(OSError, EOFError):
            carrier.close()
        if isinstance(error, paramiko.SSHException | OSError | EOFError):
            if isinstance(carrier, Proxy) and (refusal := carrier.refusal()):
                raise refusal from error
            in_time = time.monotonic() - begun < target.connect_timeout
            raise _no_greeting(target, error, transport, in_time=in_time) from error
        raise
    return transport


def _in_order(offered: Sequence[str], known: Sequence[str]) -> list[str]:
    """Put those first that belong to a key which is known; an RSA key serves three signature algorithms."""
    families = [("rsa-sha2-512", "rsa-sha2-256") if name == "ssh-rsa" else (name,) for name in known]
    first = [name for family in families for name in family if name in offered]
    return list(dict.fromkeys((*first, *offered)))


def _no_greeting(target: Target, error: Exception, transport: paramiko.Transport, *, in_time: bool) -> Exception:
    text = str(error)
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        hint = "allow aes256-gcm@openssh.com, hmac-sha2-256 and curve25519-sha256 in sshd_config of the host"
        return target.error(ConnectError, f"no algorithm in common: {text}", hint=hint)
    ear = transport.packetizer
    said = ear.said if isinstance(ear, Ear) else []
    if in_time and (not said or said[-1].startswith(("SSH-", *_TOO_BUSY))):
        return _TooBusyError(text)
    if said and not said[-1].startswith("SSH-"):
        return target.error(ConnectError, "what answers there is no SSH server", hint="see that the port is right")
    return target.error(
        ConnectError,
        f"the SSH handshake failed within {target.connect_timeout:g} s: {text or type(error).__name__}",
        hint="try again; the host may be too busy (`MaxStartups` in sshd_config)",
    )
