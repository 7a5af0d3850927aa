"""Log in to an SSH server: by key, agent, password or keyboard-interactive, in this order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import UnknownKeyType

from sealpy.connectors.secret import Secret
from sealpy.connectors.target import Target
from sealpy.errors import AuthError, ConnectError

__all__ = ["log_in"]

_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_MOST_KEYS = 4  # OpenSSH ends the connection after six failures; two are left for the password


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Hold one way to log in; `perform` returns the methods that the server wants besides."""

    method: str
    label: str
    perform: Callable[[], Sequence[str]]


@dataclass(slots=True)
class _Login:
    transport: paramiko.Transport
    target: Target
    ssh_dir: Path
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Try one way after the other until the server is content; raises AuthError."""
        allowed = self._allowed()
        with contextlib.closing(self._attempts()) as attempts:
            for attempt in attempts:
                if allowed and attempt.method in allowed:
                    allowed = self._try(attempt, allowed)
                if not allowed or not self.transport.is_active():
                    break
        if allowed or not self.transport.is_authenticated():
            raise self._refused(allowed)

    def _try(self, attempt: _Attempt, allowed: Sequence[str]) -> Sequence[str]:
        """Give the methods that may be tried next; none means that we are in."""
        try:
            return attempt.perform()
        except paramiko.BadAuthenticationType as refused:
            return refused.allowed_types
        except paramiko.SSHException:
            self.notes.append(attempt.label)
            return allowed

    def _allowed(self) -> Sequence[str]:
        """Ask which methods the server takes; none means that we are in already."""
        try:
            return self.transport.auth_none(self.target.user)
        except paramiko.BadAuthenticationType as refused:
            return refused.allowed_types
        except paramiko.SSHException as error:
            # Nothing has been refused yet: a server that is too busy, or shuts this address out, hangs up here.
            raise self.target.error(
                ConnectError, f"connection closed before the login: {error}", hint="see the log of sshd on the host"
            ) from error

    def _attempts(self) -> Generator[_Attempt]:
        seen: set[bytes] = set()
        with contextlib.closing(self._keys()) as keys:
            for label, key in keys:
                if key.asbytes() not in seen and len(seen) < _MOST_KEYS:
                    seen.add(key.asbytes())
                    yield _Attempt("publickey", label, partial(self.transport.auth_publickey, self.target.user, key))
        if password := self.target.password:
            yield _Attempt("password", "the password", partial(self._password, password))
            yield _Attempt("keyboard-interactive", "the password at its prompt", partial(self._interactive, password))

    def _keys(self) -> Generator[tuple[str, paramiko.PKey]]:
        target = self.target
        if target.private_key:
            yield f"key {target.private_key}", self._explicit_key(target.private_key)
        yield from self._agent_keys()
        for name in _DEFAULT_KEYS:
            path = self.ssh_dir / name
            try:
                yield f"key {path}", _load(path, target.private_key_password)
            except FileNotFoundError:
                continue
            except _KeyUnusableError as error:
                self.notes.append(f"key {path} ({error})")

    def _agent_keys(self) -> Generator[tuple[str, paramiko.PKey]]:
        try:
            agent = paramiko.Agent()
        except (paramiko.SSHException, OSError) as error:
            self.notes.append(f"the agent ({error})")
            return
        with contextlib.closing(agent):
            for number, key in enumerate(agent.get_keys(), start=1):
                yield f"key {number} of the agent", key

    def _explicit_key(self, path: Path) -> paramiko.PKey:
        try:
            return _load(path, self.target.private_key_password)
        except (FileNotFoundError, _KeyUnusableError) as error:
            reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
            raise self.target.error(
                AuthError, f"private key {str(path)!r}: {reason}", hint="give a readable private key and its passphrase"
            ) from error

    def _password(self, password: Secret) -> Sequence[str]:
        return self.transport.auth_password(self.target.user, password.reveal(), fallback=False)

    def _interactive(self, password: Secret) -> Sequence[str]:
        def answer(_title: str, _instructions: str, fields: Sequence[tuple[str, bool]]) -> list[str]:
            # Only what is not echoed is a password; another question, such as for a code, gets an empty answer.
            return ["" if echo else password.reveal() for _, echo in fields]

        return self.transport.auth_interactive(self.target.user, answer)

    def _refused(self, allowed: Sequence[str]) -> AuthError:
        tried = f"tried {', '.join(self.notes)}" if self.notes else "there was no key, agent or password to try"
        return self.target.error(
            AuthError,
            f"login as {self.target.user!r} refused",
            hint=f"{tried}; the host takes {', '.join(allowed)}: give the right password or private key for this user",
        )


class _KeyUnusableError(Exception):
    """Tell why a key file cannot be used."""


def _load(path: Path, passphrase: Secret | None) -> paramiko.PKey:
    """Read a private key of any type; raises FileNotFoundError, _KeyUnusableError."""
    try:
        # Stubs say `str`, but the cryptography library beneath takes bytes alone.
        return paramiko.PKey.from_path(path, passphrase.reveal().encode() if passphrase else None)  # type: ignore[arg-type]
    except FileNotFoundError:
        raise
    except (paramiko.PasswordRequiredException, TypeError) as error:
        reason = "is not locked, yet a passphrase is given" if passphrase else "is locked by a passphrase"
        raise _KeyUnusableError(reason) from error
    except (paramiko.SSHException, ValueError) as error:
        reason = "is damaged, or its passphrase is another" if passphrase else "is no private key that can be read"
        raise _KeyUnusableError(reason) from error
    except (UnknownKeyType, UnsupportedAlgorithm) as error:
        raise _KeyUnusableError("is of a type that is not supported") from error
    except OSError as error:
        raise _KeyUnusableError(error.strerror or str(error)) from error


def log_in(transport: paramiko.Transport, target: Target, *, ssh_dir: Path) -> None:
    """Log in as the target's user; `ssh_dir` holds the default keys.

    Raises AuthError, which names what was tried, and ConnectError when the server hangs up before anything was.
    """
    _Login(transport, target, ssh_dir).run()
