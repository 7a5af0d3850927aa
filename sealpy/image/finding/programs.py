"""Programs that render what only they understand: helm for charts, kubectl or kustomize for kustomizations."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sealpy.errors import ImageError

__all__ = ["HELM", "KUSTOMIZE", "Program", "ProgramFailedError", "command_of", "run"]

_SECONDS = 120  # a chart renders within one; whatever takes this long waits for something that will not come
_SHOWN_LINES = 10
_NOISE = re.compile(r'^(?:Error: |[EFIW][0-9]{4} [0-9:.]+\s+[0-9]+ \S+\] (?:"command failed" err=)?)')
_ADVICE = re.compile(r"Use --debug flag")


@dataclass(frozen=True, slots=True)
class Program:
    """Name a Go program, and the package and version that it is built from where it is not installed."""

    name: str
    package: str
    version: str


HELM = Program("helm", "helm.sh/helm/v3/cmd/helm", "v3.22.0")
KUSTOMIZE = Program("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")


class ProgramFailedError(Exception):
    """Hold the last lines that a program printed before it failed."""


def command_of(program: Program, *, needed_for: str) -> list[str]:
    """Find a program on PATH or among the tools that sealpy keeps; raises ImageError that says how to get it."""
    kept = _tools() / f"{program.name}-{program.version}"
    if found := shutil.which(program.name) or shutil.which(program.name, path=str(kept)):
        return [found]
    if program is KUSTOMIZE and (kubectl := shutil.which("kubectl")):
        return [kubectl, "kustomize"]
    install = f"CGO_ENABLED=0 GOBIN={kept} go install {program.package}@{program.version}"
    raise ImageError(
        f"{needed_for}: needs '{program.name}', which is not on this machine",
        hint=f"install it, or build it by Go: {install}",
    )


def run(command: Sequence[str], *, cwd: Path) -> bytes:
    """Run a program in `cwd` and give what it prints; raises ProgramFailedError.

    It sees no settings of the user and no cluster, so that everybody's build finds the same.
    """
    with tempfile.TemporaryDirectory(prefix="sealpy-home-") as home:
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "KUBECONFIG": os.devnull}
        try:
            done = subprocess.run(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ProgramFailedError(f"it was ended after {_SECONDS} s") from error
    if done.returncode:
        raise ProgramFailedError(_said(done.stderr.decode(errors="replace")))
    return done.stdout


def _said(text: str) -> str:
    """Give the last lines without what is no part of the message: times, numbers of processes, advice on flags."""
    lines = [_NOISE.sub("", line) for line in text.splitlines() if line.strip() and not _ADVICE.match(line)]
    return "\n".join(lines[-_SHOWN_LINES:]) or "it failed and said nothing"


def _tools() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "sealpy" / "tools"
