"""The root file system that all machines share, made once by debootstrap and kept."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from sealpy.errors import MachineError
from sealpy.events import Emit, TaskFinished, TaskProgress
from sealpy.machines.recipe import Recipe

__all__ = ["TASK", "ensure", "halves", "sweep"]

TASK = "lab base"
_PART = ".part"
_DYING = 5.0

# debootstrap and all it starts die with us, and their mounts with them: it runs in namespaces of its own, whose first
# process the kernel kills when `unshare` goes, which it kills when we go.
_CONTAINED = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"),
)


def ensure(directory: Path, recipe: Recipe, *, emit: Emit) -> Path:
    """Give the base of this recipe below `directory`, made when it is missing; the caller holds the lock.

    It takes about a minute and 300 MB. It is made under another name and renamed, so that a base is always whole.
    """
    base = directory / recipe.name
    if base.exists():
        return base
    for half in halves(directory):
        _remove(half)
    began = time.monotonic()
    part = directory / f"{recipe.name}{_PART}"
    part.mkdir(mode=0o755)
    part.chmod(0o755)  # it becomes `/` of the machines, whatever our umask is
    _debootstrap(part, recipe, emit=emit)
    recipe.apply(part)
    part.rename(base)
    emit(TaskFinished(task=TASK, seconds=time.monotonic() - began, detail=recipe.name))
    return base


def halves(directory: Path) -> list[Path]:
    """Give the bases that were begun and not finished."""
    return sorted(directory.glob(f"base-*{_PART}"))


def sweep(directory: Path, *, used: Container[str]) -> list[str]:
    """Remove bases that are unfinished, and those whose names are not `used`; gives them. The caller holds the lock."""
    found = [path for path in sorted(directory.glob("base-*")) if path.suffix == _PART or path.name not in used]
    for path in found:
        _remove(path)
    return [path.name for path in found]


def _remove(path: Path) -> None:
    deadline = time.monotonic() + _DYING
    while path.exists():
        try:
            shutil.rmtree(path)
        except OSError:  # one that was killed this moment may still write its last file
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _debootstrap(target: Path, recipe: Recipe, *, emit: Emit) -> None:
    words = ("debootstrap", "--variant=minbase", f"--include={','.join(recipe.packages)}", recipe.suite, str(target))
    tail: list[str] = []
    with subprocess.Popen(
        [*_CONTAINED, *words, *_mirror(recipe.suite)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C", **_proxies()},
        umask=0o022,
    ) as process:
        try:
            for done, line in enumerate(_lines(process), start=1):
                tail = [*tail[-9:], line]
                emit(TaskProgress(task=TASK, detail=line.removeprefix("I: "), done=done))
        except BaseException:
            process.kill()  # leaving the block would wait for it
            raise
    if process.returncode:
        errors = [line for line in tail if line.startswith(("E:", "W:"))] or tail[-1:]
        raise MachineError(
            f"lab base: debootstrap failed: {'; '.join(errors)}",
            hint="see that this machine reaches a Debian mirror (apt-get update), then type the command again",
        )


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    return (line.strip() for line in process.stdout or () if line.strip())


def _mirror(suite: str) -> tuple[str, ...]:
    """Give the mirror that apt of this machine takes this suite from; nothing leaves it to debootstrap."""
    words = ("indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {suite}", "Component: main")
    return tuple(_apt("apt-get", *words).split()[:1])


def _proxies() -> Mapping[str, str]:
    """Give the proxy that apt of this machine is told to use, in the words of wget."""
    shell = _apt("apt-config", "shell", "http_proxy", "Acquire::http::Proxy", "https_proxy", "Acquire::https::Proxy")
    pairs = (word.partition("=") for word in shlex.split(shell))
    return {name: value for name, _, value in pairs if value not in {"", "DIRECT"} and name not in os.environ}


def _apt(*words: str) -> str:
    if not shutil.which(words[0]):
        return ""
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout
