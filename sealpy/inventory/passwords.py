"""Passwords that a Clusterfile names instead of holding them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sealpy.clusterfile import PasswordFrom
from sealpy.connectors.secret import Secret
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
            found = _from_file(reference)
        case "command":
            found = _from_command(reference)
    return Secret(found)


def _from_file(reference: PasswordFrom) -> str:
    try:
        return Path(reference.value).expanduser().read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise _refusal(reference, error.strerror or str(error), hint="look at the path and its mode") from error


def _from_command(reference: PasswordFrom) -> str:
    try:
        done = subprocess.run(
            ["sh", "-c", reference.value], capture_output=True, text=True, timeout=_TIMEOUT, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise _refusal(reference, str(error), hint="run the command by hand") from error
    return done.stdout.rstrip("\n")


def _refusal(reference: PasswordFrom, why: str, *, hint: str) -> ConfigError:
    return ConfigError(f"passwordFrom {reference.kind} '{reference.value}': {why}", hint=hint)
