"""The programs of this computer that the lab drives: what must be there, and how one is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from sealpy.errors import MachineError

__all__ = ["REMOVING", "STARTING", "demand", "run", "succeeds"]

REMOVING: Mapping[str, str] = {"ip": "iproute2", "nft": "nftables"}
STARTING: Mapping[str, str] = {
    **REMOVING,
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
    "mount": "mount",
}


def demand(programs: Mapping[str, str]) -> None:
    """Raise MachineError unless this is Linux, we are root, and every program is there.

    `programs` maps each program to the Debian package that holds it.
    """
    if sys.platform != "linux":
        raise MachineError(
            f"lab: needs Linux, this is '{sys.platform}'", hint="use a Linux machine, or machines of your own by SSH"
        )
    if os.geteuid() != 0:
        raise MachineError("lab: needs root, to make network and mount namespaces", hint="type sudo before the command")
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        packages = " ".join(dict.fromkeys(programs[program] for program in missing))
        raise MachineError(
            f"lab: missing programs {', '.join(map(repr, missing))}",
            hint=f"type: apt-get install {packages}",
        )


def run(*argv: str, stdin: str = "") -> str:
    """Run a program and give its standard output; raises MachineError with its last line when it fails."""
    done = _run(argv, stdin=stdin)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        reason = lines[-1] if lines else f"exit status {done.returncode}"
        raise MachineError(f"lab: '{' '.join(argv)}' failed: {reason}", hint="type: sealpy lab down, then up again")
    return done.stdout


def succeeds(*argv: str) -> bool:
    """Run a program that answers a question by its exit status."""
    return _run(argv).returncode == 0


def _run(argv: Sequence[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"}
    )
