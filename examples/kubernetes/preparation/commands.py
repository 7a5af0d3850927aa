"""Run the programs that build things; what they print is shown only when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sealpy.errors import SealpyError

__all__ = ["run"]

_SHOWN_LINES = 10


def run(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, hint: str = "") -> str:
    """Run a command in `cwd` and give its standard output; raises SealpyError with its last lines.

    `env` is added to our own environment. `hint` says what to install, or else to do, when the command fails.
    """
    try:
        done = subprocess.run(
            argv, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise SealpyError(f"program {argv[0]!r} is not on this machine", hint=hint) from error
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").splitlines()[-_SHOWN_LINES:]
        raise SealpyError("\n  ".join([f"{' '.join(argv[:3])!r} failed ({done.returncode}):", *said]), hint=hint)
    return done.stdout.decode(errors="replace")
