"""The control groups of a machine: made before it, so that all it starts is inside.

With cgroup v1 a machine has a directory in every hierarchy, with v2 one in the only one, and with both ("hybrid") both.
The control group namespace of systemd-nspawn shows it to the machine as `/`, so that the kubelet's `/kubepods` comes to
lie under it. Only v1 and hybrid were run for real; v2 follows the kernel's document and was not run.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sealpy.errors import MachineError

__all__ = ["ControlGroups", "Limits", "read_mounts"]

_PERIOD = 100_000  # microseconds of the CPU quota's period
_DEADLINE = 20.0
_PAUSE = 0.02


def read_mounts() -> str:
    """Give the text of `/proc/self/mountinfo`; nothing where there is none, which is not Linux."""
    with suppress(FileNotFoundError):
        return Path("/proc/self/mountinfo").read_text()
    return ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound a machine: `cpus` as a number of processors, `memory` in bytes; None is no bound."""

    cpus: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """Hold the mounted hierarchies: those of v1, and the one of v2."""

    v1: tuple[Path, ...]
    v2: tuple[Path, ...]

    @classmethod
    def mounted(cls, mountinfo: str | None = None) -> ControlGroups:
        """Read the hierarchies from the text of `/proc/self/mountinfo`; each once, though it may be mounted twice."""
        text = read_mounts() if mountinfo is None else mountinfo
        found: dict[str, dict[str, Path]] = {"cgroup": {}, "cgroup2": {}}
        for line in text.splitlines():
            left, _, right = line.partition(" - ")
            kind, device, place = right.split()[0], left.split()[2], left.split()[4]
            if kind in found:
                found[kind].setdefault(device, Path(place))
        return cls(tuple(found["cgroup"].values()), tuple(found["cgroup2"].values()))

    def of(self, unit: str) -> tuple[Path, ...]:
        """Give the directories of a unit, whether they exist or not."""
        return tuple(root / unit for root in (*self.v1, *self.v2))

    def units(self) -> set[str]:
        """Give the names of all groups that lie where ours do, and of the units that command lines name."""
        groups = {path.parent.name for root in (*self.v1, *self.v2) for path in root.glob("*/cgroup.procs")}
        return groups | {unit for unit, _ in _named()}

    def make(self, unit: str, limits: Limits) -> tuple[Path, ...]:
        """Make the directories of a unit and bound it; gives those that its first process joins."""
        for root in self.v2:
            self._delegate(root)
        for path in self.of(unit):
            path.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):  # v1: a group without them takes no process
                value = path.parent / name
                if value.exists() and path.parent in self.v1:
                    (path / name).write_text(value.read_text())
        self.limit(unit, limits)
        return self.of(unit)

    def limit(self, unit: str, limits: Limits) -> None:
        """Bound a unit; raises MachineError when the kernel refuses, as it does below what is in use."""
        quota = "-1" if limits.cpus is None else str(round(limits.cpus * _PERIOD))
        values = {
            "cpu.cfs_quota_us": quota,
            "memory.limit_in_bytes": str(limits.memory or -1),
            "cpu.max": f"{'max' if limits.cpus is None else quota} {_PERIOD}",
            "memory.max": str(limits.memory or "max"),
        }
        for path in self.of(unit):
            for name, value in values.items():
                if not (path / name).exists():
                    continue
                try:
                    (path / name).write_text(value)
                except OSError as error:
                    raise MachineError(
                        f"{unit}: the kernel refuses {name} = {value}: {error.strerror}",
                        hint="give the machine more, or take it down and up again",
                    ) from error

    def processes(self, unit: str) -> set[int]:
        """Give the processes inside a unit, and those on their way into it: its name stands in their command line."""
        return set(self._inside(unit)) | {pid for name, pid in _named() if name == unit}

    def kill(self, unit: str) -> int:
        """Kill every process of a unit and wait until none is left; gives how many there were at first."""
        count = len(self.processes(unit))
        deadline = time.monotonic() + _DEADLINE
        while left := self.processes(unit):
            if time.monotonic() > deadline:
                raise MachineError(
                    f"{unit}: processes {sorted(left)} do not die",
                    hint="they wait for a disk or a server that hangs; mend that and type the command again",
                )
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_PAUSE)
        return count

    def remove(self, unit: str) -> None:
        """Remove the directories of a unit; a moment passes after the last process before the kernel allows it."""
        deadline = time.monotonic() + _DEADLINE
        for path in filter(Path.exists, self.of(unit)):
            while not _remove_tree(path):
                if time.monotonic() > deadline:
                    raise MachineError(f"{path}: the control group is still in use", hint="type: sealpy lab down")
                time.sleep(_PAUSE)

    def _inside(self, unit: str) -> Iterator[int]:
        for path in self.of(unit):
            for group in _tree(path):
                with suppress(OSError):  # the group went away while we looked, or is a threaded one
                    yield from (int(pid) for pid in (group / "cgroup.procs").read_text().split() if pid != "0")

    def _delegate(self, root: Path) -> None:
        for controller in (root / "cgroup.controllers").read_text().split():
            with suppress(OSError):  # one that cannot be handed down here is one the machine goes without
                (root / "cgroup.subtree_control").write_text(f"+{controller}")


def _named() -> Iterator[tuple[str, int]]:
    """Yield the units that command lines name, each with the process."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            for word in path.read_bytes().split(b"\0"):
                if word.startswith(b"--machine="):
                    yield word.removeprefix(b"--machine=").decode("utf-8", "replace"), int(path.parent.name)


def _tree(path: Path) -> Iterator[Path]:
    """Yield a group and those below it, the lowest first; groups that vanish meanwhile are passed over."""
    return (Path(directory) for directory, _, _ in os.walk(path, topdown=False))


def _remove_tree(path: Path) -> bool:
    for group in _tree(path):
        with suppress(OSError):  # not yet; the caller looks again
            group.rmdir()
    return not path.exists()
