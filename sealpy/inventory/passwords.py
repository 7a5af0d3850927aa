"""Passwords and texts that a Clusterfile names instead of holding them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from sealpy.clusterfile import PasswordFrom
from sealpy.connectors.secret import Secret
from sealpy.disk import expanded, reason_of
from sealpy.errors import ConfigError

__all__ = ["find_password", "find_text"]

_TIMEOUT = 30.0  # seconds for a command; a vault that waits for a human is no vault for a script


def find_password(literal: str, reference: PasswordFrom | None, *, field: str = "passwordFrom") -> Secret | None:
    """Give the password that is written or referred to by a field; None when neither is; raises ConfigError."""
    if reference is None:
        return Secret(literal) if literal else None
    with _called(field, reference):
        found = _found(reference).rstrip("\r\n")  # without the end of its line
        if not found:
            raise _NotFoundError("there is nothing in it", hint="a password is one line of text")
    return Secret(found)


def find_text(reference: PasswordFrom) -> str:
    """Give the text that a `dataFrom` refers to, as it is there; raises ConfigError."""
    with _called("dataFrom", reference):
        return _found(reference)


class _NotFoundError(Exception):
    """Tell why nothing was found; the field that refers to it is added."""

    def __init__(self, why: str, *, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


@contextmanager
def _called(field: str, reference: PasswordFrom) -> Iterator[None]:
    try:
        yield
    except _NotFoundError as error:
        message = f"{field} {reference.kind} '{reference.value}': {error}"
        raise ConfigError(message, place=reference.place, hint=error.hint) from error


def _found(reference: PasswordFrom) -> str:
    match reference.kind:
        case "env":
            found = os.environ.get(reference.value, "")
            if not found:
                raise _NotFoundError("the variable is not set", hint=f"export {reference.value}=…")
            return found
        case "file":
            return _text(_from_file(reference))
        case "command":
            return _text(_from_command(reference))


def _from_file(reference: PasswordFrom) -> bytes:
    try:
        return expanded(reference.value).read_bytes()
    except OSError as error:
        raise _NotFoundError(reason_of(error), hint="look at the path and its mode") from error


def _from_command(reference: PasswordFrom) -> bytes:
    hint = "run the command by hand"
    try:
        done = subprocess.run(
            ["sh", "-c", reference.value],
            stdin=subprocess.DEVNULL,  # ours may hold another secret
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _NotFoundError(f"no answer within {_TIMEOUT:.0f} s", hint=hint) from error
    if done.returncode:
        raise _NotFoundError(f"ended with exit status {done.returncode}", hint=hint)
    return done.stdout


def _text(found: bytes) -> str:
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise _NotFoundError("what was found is no text", hint="it is to be UTF-8") from error
