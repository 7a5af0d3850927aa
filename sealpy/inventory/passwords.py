"""Passwords that a Clusterfile names instead of holding them."""

from __future__ import annotations

import os
import subprocess

from sealpy.clusterfile import PasswordFrom
from sealpy.connectors.secret import Secret
from sealpy.disk import expanded
from sealpy.errors import ConfigError

__all__ = ["find_password"]

_TIMEOUT = 30.0  # seconds for a command; a vault that waits for a human is no vault for a script


def find_password(literal: str, reference: PasswordFrom | None) -> Secret | None:
    """Give the password that is written or referred to; None when neither is; raises ConfigError."""
    if reference is None:
        return Secret(literal) if literal else None
    match reference.kind:
        case "env":
            found = os.environ.get(reference.value, "")
            if not found:
                raise _refusal(reference, "the variable is not set", hint=f"export {reference.value}=…")
        case "file":
            found = _text(reference, _from_file(reference))
        case "command":
            found = _text(reference, _from_command(reference))
    return Secret(found)


def _from_file(reference: PasswordFrom) -> bytes:
    try:
        return expanded(reference.value).read_bytes()
    except OSError as error:
        raise _refusal(reference, error.strerror or str(error), hint="look at the path and its mode") from error


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
        raise _refusal(reference, f"no answer within {_TIMEOUT:.0f} s", hint=hint) from error
    if done.returncode:
        raise _refusal(reference, f"ended with exit status {done.returncode}", hint=hint)
    return done.stdout


def _text(reference: PasswordFrom, found: bytes) -> str:
    """Give what was found, without the end of its line."""
    try:
        text = found.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _refusal(reference, "what was found is no text", hint="a password is one line of UTF-8") from error
    if not text:
        raise _refusal(reference, "there is nothing in it", hint="a password is one line of text")
    return text


def _refusal(reference: PasswordFrom, why: str, *, hint: str) -> ConfigError:
    return ConfigError(f"passwordFrom {reference.kind} '{reference.value}': {why}", hint=hint)
