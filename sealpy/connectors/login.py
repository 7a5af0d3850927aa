"""Log in to an SSH server: by key, agent, password or keyboard-interactive, in this order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import paramiko

from sealpy.connectors.keys import keys_of
from sealpy.connectors.secret import Secret
from sealpy.connectors.target import Target
from sealpy.errors import AuthError, ConnectError

__all__ = ["Login"]

_MOST_KEYS = 8  # wrong keys cost time, and machines shut out who tries many


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Hold one way to log in; `perform` returns the methods that the server wants besides."""

    method: str
    label: str
    perform: Callable[[paramiko.Transport], Sequence[str]]


class Login:
    """Try one way after the other; a server that hangs up on wrong keys is met again with those that are left."""

    def __init__(self, target: Target, ssh_dir: Path) -> None:
        """Take the machine, and the directory of the usual keys."""
        self._target = target
        self._notes: list[str] = []
        self._source = self._attempts(ssh_dir)  # pulled one by one: to unlock a key takes its time
        self._passed: list[_Attempt] = []  # not allowed when they came
        self._accepted: list[_Attempt] = []  # of several that the server wants
        self._password_refused = False

    def run(self, transport: paramiko.Transport) -> bool:
        """Log in on this connection; tells whether we are in, or are to connect again for what is left to try.

        Raises AuthError, which names what was tried, and ConnectError when the server hangs up before anything was.
        """
        allowed = self._allowed(transport)
        self._passed, self._accepted = [*self._accepted, *self._passed], []
        tried = 0
        while allowed and (attempt := self._next(allowed)):
            if not transport.is_active():
                self._passed.insert(0, attempt)
                if tried > len(self._accepted):  # something was refused, so this comes to an end
                    return False
                break
            allowed = self._try(transport, attempt, allowed)
            tried += 1
        if allowed or not transport.is_authenticated():
            raise self._refused(allowed)
        return True

    def close(self) -> None:
        """Let go of the agent."""
        self._source.close()

    def _next(self, allowed: Sequence[str]) -> _Attempt | None:
        """Take the first way that the server allows now."""
        for attempt in self._passed:
            if attempt.method in allowed:
                self._passed.remove(attempt)
                return attempt
        for attempt in self._source:
            if attempt.method in allowed:
                return attempt
            self._passed.append(attempt)
        return None

    def _try(self, transport: paramiko.Transport, attempt: _Attempt, allowed: Sequence[str]) -> Sequence[str]:
        """Give the methods that may be tried next; none means that we are in."""
        try:
            wanted = attempt.perform(transport)
        except paramiko.BadAuthenticationType as refused:
            return refused.allowed_types
        except (paramiko.SSHException, OSError, EOFError):
            self._notes.append(attempt.label)
            self._password_refused = self._password_refused or attempt.method == "password"
            return allowed
        self._accepted.append(attempt)
        return wanted

    def _allowed(self, transport: paramiko.Transport) -> Sequence[str]:
        """Ask which methods the server takes; none means that we are in already."""
        try:
            return transport.auth_none(self._target.user)
        except paramiko.BadAuthenticationType as refused:
            return refused.allowed_types
        except (paramiko.SSHException, OSError, EOFError) as error:
            # Nothing has been refused yet: a server that is too busy, or shuts this address out, hangs up here.
            raise self._target.error(
                ConnectError, f"connection closed before the login: {error}", hint="see the log of sshd on the host"
            ) from error

    def _attempts(self, ssh_dir: Path) -> Generator[_Attempt]:
        user = self._target.user
        seen: set[bytes] = set()
        with contextlib.closing(keys_of(self._target, ssh_dir, self._notes)) as keys:
            for label, key, blob in keys:
                if blob in seen:
                    continue
                if len(seen) == _MOST_KEYS:
                    self._notes.append("and no further key, as there are many (give the key by --pk or `pk:`)")
                    break
                seen.add(blob)
                yield _Attempt("publickey", label, partial(_by_key, user, key))
        if password := self._target.password:
            yield _Attempt("password", "the password", partial(_by_password, user, password))
            if not self._password_refused:  # its prompt would hear the same again
                label = "the password at its prompt"
                yield _Attempt("keyboard-interactive", label, partial(_by_prompt, user, password))

    def _refused(self, allowed: Sequence[str]) -> AuthError:
        tried = f"tried {', '.join(self._notes)}" if self._notes else "there was no key, agent or password to try"
        return self._target.error(
            AuthError,
            f"login as {self._target.user!r} refused",
            hint=f"{tried}; the host takes {', '.join(allowed)}: give the right password or private key for this user",
        )


def _by_key(user: str, key: paramiko.PKey, transport: paramiko.Transport) -> Sequence[str]:
    return transport.auth_publickey(user, key)


def _by_password(user: str, password: Secret, transport: paramiko.Transport) -> Sequence[str]:
    return transport.auth_password(user, password.reveal(), fallback=False)


def _by_prompt(user: str, password: Secret, transport: paramiko.Transport) -> Sequence[str]:
    def answer(_title: str, _instructions: str, fields: Sequence[tuple[str, bool]]) -> list[str]:
        # Only what is not echoed is a password; another question, such as for a code, gets an empty answer.
        return ["" if echo else password.reveal() for _, echo in fields]

    return transport.auth_interactive(user, answer)
