"""What a check is, what it looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

from sealpy.errors import Problem

if TYPE_CHECKING:
    from sealpy.inventory import Facts, Host

__all__ = ["HERE", "Check", "Finder", "Finding", "Found", "Needs", "Severity", "Stage", "Subject", "check"]

HERE = "this machine"  # stands for a host where the machine that sealpy runs on is meant
Severity = Literal["error", "warning"]


class Stage(Enum):
    """Say until when a check is of use for a host."""

    ALWAYS = "always"
    BEFORE_NODE = "until it is a node"
    UNTOUCHED = "until something of this cluster is on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Say what image and cluster ask of the machines; sizes in KiB.

    `kept_free` is how much of which disk the kubelet wants to be free, such as `15%` by `imagefs.available`: none where
    that is not known.
    `etcd` are the ports between its members on the control planes: none where it runs elsewhere. `renamed` tells that a
    plugin gives the hosts their names later.
    """

    platform: str = ""
    image_kib: int = 0
    data_root: str = "/var/lib/sealpy/data"
    kept_free: Mapping[str, str] = field(default_factory=dict)
    pods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    registry_hosts: tuple[str, ...] = ()
    registry_port: int = 0
    etcd: tuple[int, ...] = (2379, 2380)
    leader: str = ""
    renamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Be one host among all."""

    host: Host
    facts: Facts
    everyone: Mapping[str, Facts] = field(repr=False)
    needs: Needs = field(repr=False)

    @property
    def others(self) -> Iterator[tuple[str, Facts]]:
        """Yield address and facts of every other host."""
        return ((address, facts) for address, facts in self.everyone.items() if address != self.host.address)


@dataclass(frozen=True, slots=True)
class Finding:
    """Say what is wrong, and what to type or do."""

    message: str
    fix: str
    host: str = ""  # when it is another's than the one that was looked at


Finder = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """Look at one host for one thing."""

    id: str
    severity: Severity
    reason: str
    stage: Stage
    find: Finder

    def concerns(self, facts: Facts) -> bool:
        """Tell whether this host is still to be looked at."""
        match self.stage:
            case Stage.ALWAYS:
                return True
            case Stage.BEFORE_NODE:
                return "node" not in facts.marks
            case Stage.UNTOUCHED:
                return not facts.marks


@dataclass(frozen=True, slots=True)
class Found:
    """Hold what a check found on a host."""

    host: str
    check: str
    severity: Severity
    message: str
    reason: str
    fix: str

    @property
    def problem(self) -> Problem:
        """Give it as errors and warnings show it."""
        return Problem(f"{self.message} [{self.check}]", hint=self.fix)


def check(
    id_: str, *, reason: str, severity: Severity = "error", stage: Stage = Stage.ALWAYS
) -> Callable[[Finder], Check]:
    """Make a check of a function that yields findings."""
    return lambda find: Check(id_, severity, reason, stage, find)
