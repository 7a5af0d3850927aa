"""RUN: one command in the rootfs, which is all it can reach; what it leaves is a layer.

The command has namespaces of its own for files, processes, host name and, unless it is told otherwise, an empty
network. Without root the user counts as root in a namespace of users, where the kernel allows that; with root the
command keeps the rights that commands of containers have. Nothing is mounted that stays: `/dev`, `/proc` and what else
is lent to it is gone when it ends.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sealpy.errors import ImageError, KubefileError, Place, Problem
from sealpy.events import Emit, TaskOutput
from sealpy.image.building import cage
from sealpy.image.building.worktree import WorkTree
from sealpy.image.files import Entry
from sealpy.image.store import Store
from sealpy.image.tarball import Content
from sealpy.kubefile import Run

__all__ = ["Cell", "Runner", "environment", "title"]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHELL = "/bin/sh"
_LENT = ("etc/hosts", "etc/resolv.conf")  # of this machine, to who may use its network
_CANNOT_START = 125
_TAIL = 10
_TITLE = 60
_NO_NAMESPACE = {errno.ENOSPC: "none is allowed, or too many are in use", errno.EUSERS: "too deep in others"}


class Runner(Protocol):
    """Run commands in a rootfs."""

    def run(self, instruction: Run, held: Mapping[str, Entry], env: Mapping[str, str], at: Place) -> Content:
        """Give what a command changes in a rootfs that holds these entries; raises KubefileError."""


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Give the variables of a command: what every command has, then those of the Kubefile."""
    return {"PATH": _PATH, "HOME": "/root", "SOURCE_DATE_EPOCH": "0", "LANG": "C.UTF-8", **env}


def title(instruction: Run) -> str:
    """Name a command on one short line."""
    words = " ".join(instruction.words) or instruction.command.strip()
    line = words.splitlines()[0] if words else ""
    return f"RUN {line if line == words and len(line) <= _TITLE else f'{line[:_TITLE]}…'}"


@dataclass(slots=True)
class Cell:
    """Run commands one after the other in one directory below `work`, which is filled when the first one comes."""

    work: Path
    store: Store
    emit: Emit
    task: str
    secret_env: Mapping[str, str] = field(default_factory=dict)  # such as proxies: in no key and no image
    _tree: WorkTree | None = None

    def run(self, instruction: Run, held: Mapping[str, Entry], env: Mapping[str, str], at: Place) -> Content:
        """Fill the rootfs, run the command, and list what it changed."""
        if self._tree is None:
            self._tree = WorkTree(self.work / "rootfs", self.store)
        self._tree.fill(held)
        with _lent(self._tree, instruction, at) as places:
            words, script = _words(instruction)
            task = {
                "root": str(self._tree.root),
                "network": instruction.network or "none",
                "words": words,
                "script": script,
                "env": {**self.secret_env, **env},
                **places,
            }
            self._perform(instruction, task, at)
        try:
            return self._tree.changes()
        except ImageError as error:
            raise KubefileError(f"{title(instruction)}: {error.message}", place=at, hint=error.hint) from error

    def _perform(self, instruction: Run, task: Mapping[str, Any], at: Place) -> None:
        tail: deque[str] = deque(maxlen=_TAIL)
        with _started(task) as (process, told):
            assert process.stdout is not None  # noqa: S101 - it was asked for
            for line in process.stdout:
                tail.append(line.rstrip("\n"))
                self.emit(TaskOutput(task=self.task, detail=title(instruction), line=tail[-1]))
            status = process.wait()
            refusal = _read_all(told)
        if refusal:
            raise _refusal(json.loads(refusal), task, at)
        if status:
            raise _failure(instruction, status, tail, at)


@contextmanager
def _started(task: Mapping[str, Any]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start the program that becomes the command; it ends with us, and with the block, whatever happens."""
    told, tell = os.pipe()
    command = [sys.executable, "-I", "-S", cage.__file__, str(tell)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        pass_fds=[tell],
        start_new_session=True,
    ) as process:
        os.close(tell)
        try:
            with suppress(BrokenPipeError):
                assert process.stdin is not None  # noqa: S101 - it was asked for
                process.stdin.write(json.dumps(dict(task)))
                process.stdin.close()
            yield process, told
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)  # the kernel ends all that it has started
            process.wait()
            os.close(told)


def _words(instruction: Run) -> tuple[list[str], str]:
    """Give the words of the command, and a script that is the last of them; `#!` names who reads it."""
    if instruction.words:
        return list(instruction.words), ""
    if instruction.command.startswith("#!"):
        reader = instruction.command[2:].split("\n", 1)[0].strip()
        return reader.split(None, 1), instruction.command
    return [_SHELL, "-c", instruction.command], ""


@contextmanager
def _lent(tree: WorkTree, instruction: Run, at: Place) -> Iterator[dict[str, Any]]:
    """Make the places where the command gets what it does not keep, and take those away that were not there."""
    directories = ["dev", "proc", *(["tmp"] if "tmp" not in tree else [])]
    lent = _LENT if instruction.network == "host" and "etc" in tree else ()
    files = [path for path in lent if Path("/", path).is_file() and not (tree.root / path).is_symlink()]
    made: list[Path] = []
    for path in (tree.root / name for name in directories):
        if not path.exists() and not path.is_symlink():
            path.mkdir(mode=0o755)
            made.append(path)
        elif path.is_symlink() or not path.is_dir():
            message = f"RUN: '{path.name}' of the rootfs is no directory"
            raise KubefileError(message, place=at, hint="every command needs it: make it a directory")
    for path in (tree.root / name for name in files):
        if not path.exists():
            path.touch(mode=0o644)
            made.append(path)
    try:
        scratch = [path.name for path in made if path.name == "tmp"]
        yield {"binds": [[f"/{name}", name] for name in files], "scratch": scratch}
    finally:
        for path in made:
            with suppress(OSError):  # the command may have put something there, or taken it away
                path.rmdir() if path.is_dir() else _unlink_empty(path)


def _unlink_empty(path: Path) -> None:
    if path.stat().st_size == 0:
        path.unlink()


def _read_all(descriptor: int) -> bytes:
    pieces = []
    while piece := os.read(descriptor, 1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def _refusal(told: Mapping[str, Any], task: Mapping[str, Any], at: Place) -> KubefileError:
    stage, number, reason = told["stage"], told["errno"], str(told["reason"]).lower()
    if stage == "the command":
        return _no_command(task, number, reason, at)
    if stage in {"namespaces", "a namespace for users"}:
        reason = _NO_NAMESPACE.get(number, reason)
        message = f"RUN: this machine does not let a command have a rootfs of its own ({stage}: {reason})"
        hint = (
            "build as root, or let users have namespaces: sysctl user.max_user_namespaces=10000, "
            "and on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; or make the files before the build"
        )
        return KubefileError(message, place=at, hint=hint)
    return KubefileError(f"RUN: {stage} failed: {reason}", place=at, hint="build as root, or on another machine")


def _no_command(task: Mapping[str, Any], number: int, reason: str, at: Place) -> KubefileError:
    program = task["words"][0]
    there = os.path.lexists(Path(task["root"], program.lstrip("/")))
    if number == errno.ENOENT and there and "/" in program:
        message = f"RUN: '{program}' of the rootfs needs a loader or an interpreter that the rootfs does not have"
        return KubefileError(message, place=at, hint="COPY that too, or a program that is linked statically")
    if number == errno.ENOENT:
        message = f"RUN: the rootfs has no '{program}'"
        hint = "commands see the rootfs alone: COPY a static shell, such as busybox, to bin/sh; or make files before"
        return KubefileError(message, place=at, hint=hint)
    if number == errno.ENOEXEC:
        message = f"RUN: '{program}' of the rootfs is not for this processor"
        return KubefileError(message, place=at, hint="build on a machine of that platform, or register an emulator")
    return KubefileError(f"RUN: '{program}' cannot be started: {reason}", place=at, hint="see to the file and its mode")


def _failure(instruction: Run, status: int, tail: Sequence[str], at: Place) -> KubefileError:
    problems = [Problem(line) for line in tail]
    hints = {
        126: "a file of that command is not executable, or not for this processor",
        127: "the rootfs lacks a program of that command: COPY it, or make the files before the build",
        137: "something killed it: is there enough memory?",
    }
    network = "commands have no network unless --network=host stands behind RUN or sealpy build gets --network host"
    hint = hints.get(status, "mend the command" if instruction.network == "host" else f"mend the command; {network}")
    message = f"{title(instruction)} ended with exit status {status}"
    return KubefileError(message, place=at, problems=problems, hint=hint)
