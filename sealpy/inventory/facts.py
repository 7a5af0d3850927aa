"""What one script tells about a host, in one round trip."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from sealpy.errors import Problem
from sealpy.inventory.look import SCRIPT
from sealpy.sdk import Ask, Result, Steps

__all__ = ["HOSTS_SIGN", "MIRRORS", "Disk", "Facts", "facts_script", "gather_facts", "parse_facts"]

_CGROUPS = "/sys/fs/cgroup/"
HOSTS_SIGN = "# sealpy"  # ends every line of /etc/hosts that is ours
MIRRORS = "/etc/containerd/certs.d"
_MIB = 1024  # in KiB


@dataclass(frozen=True, slots=True)
class Disk:
    """Say how large a disk is, and how much of it is free; a size of 0 stands for one that is not known."""

    free_kib: int = 0
    size_kib: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Hold what is known of a host; sizes in KiB.

    `time` is in seconds since 1970 by the host's clock, `asked` the same moment by the clock of this machine and
    `doubt` how far off that may be. What stands under "a new one" is asked only of a host that is no node yet.
    """

    uid: int
    name: str
    arch: str
    kernel: str = ""
    os: str = ""
    os_version: str = ""
    init: str = ""
    system: str = "Linux"
    time: float = 0.0
    asked: float = 0.0
    doubt: float = 0.0
    cpus: int = 0
    memory_kib: int = 0
    swap_kib: int = 0
    machine_id: str = ""
    cgroup: str = ""
    macs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # programs that are needed and not there
    default_route: str = ""
    nameservers: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()  # mounts of control groups that cannot be written to
    ports: frozenset[int] = frozenset()  # TCP, somebody listens
    files: frozenset[str] = frozenset()  # traces of a cluster
    active: frozenset[str] = frozenset()  # units
    free_kib: Mapping[str, int] = field(default_factory=dict)
    nodefs: Disk = Disk()  # the kubelet's names: of the disk that it writes to,
    imagefs: Disk = Disk()  # and of the one that container images are unpacked on
    present: frozenset[str] = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)  # what sealpy finished here, by name: digest of its input
    kube_ca: str = ""  # sha256 of the file of the cluster's certificate authority
    registry_ca: str = ""  # the same of the registry's
    own_hosts: str = ""  # sha256 of our lines of /etc/hosts, each with its line end
    digests: Mapping[str, str] = field(default_factory=dict)  # sha256 by path, of the container engine's mirrors
    features: frozenset[str] = frozenset()
    ip_forward: bool = False
    controllers: frozenset[str] = frozenset()  # of control groups
    mounts: Mapping[str, str] = field(default_factory=dict)  # options by place, the file system's own too
    # a new one
    interfaces: tuple[tuple[str, str], ...] = ()  # name and `address/length`
    ways: tuple[tuple[str, str], ...] = ()  # routes: where to, `default` or a range, and the interface
    modules: frozenset[str] = frozenset()  # there, or to be loaded
    has_modules: bool = False  # the kernel has a directory of them at all
    unwritable: tuple[str, ...] = ()
    free_inodes: int | None = None
    product_uuid: str = ""
    selinux: bool = False  # it enforces

    @property
    def offset(self) -> float:
        """Give how many seconds the host's clock is ahead of this machine's."""
        return self.time - self.asked

    def asked_between(self, begin: float, end: float) -> Self:
        """Note when it was asked, and when the answer had come, by the clock of this machine."""
        return replace(self, asked=(begin + end) / 2, doubt=(end - begin) / 2)

    def without_room(self, need_kib: int) -> Iterator[Problem]:
        """Say of each place where our files go whether less is free there than this."""
        for path, free in self.free_kib.items():
            if free < need_kib:
                message = f"{free // _MIB} MiB free on {path}, {need_kib // _MIB} are needed"
                yield Problem(message, hint=f"make room: du -xh -d1 {path}")

    def marked(self, name: str, digest: str) -> bool:
        """Tell whether this piece of work was finished here from the same input."""
        return self.marks.get(name) == digest


def gather_facts(directory: str) -> Steps:
    """Ask a host for its facts, and give them; `directory` is that of the cluster on the host."""
    begun = time.time()
    answer: Result = yield Ask("look at the host", *facts_script(directory))
    return parse_facts(answer.text).asked_between(begun, time.time())


def facts_script(directory: str) -> tuple[str, ...]:
    """Give the command that prints the facts; `directory` is that of the cluster on the host."""
    return ("sh", "-c", SCRIPT, "sh", directory, HOSTS_SIGN, MIRRORS)


def parse_facts(text: str) -> Facts:
    """Read what the script printed; unknown keys are passed over, so that scripts may say more."""
    many: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, sign, value = line.partition("=")
        if sign:
            many.setdefault(key, []).append(value)
    one = {key: values[-1] for key, values in many.items()}
    return Facts(
        uid=_number(one.get("uid"), default=-1),
        name=one.get("name", "").lower(),
        arch=one.get("arch", ""),
        kernel=one.get("kernel", ""),
        os=one.get("os", ""),
        os_version=one.get("os_version", ""),
        init=one.get("init", ""),
        system=one.get("system", "Linux"),
        time=_seconds(one.get("time", "")),
        cpus=_number(one.get("cpus")),
        memory_kib=_number(one.get("memory_kib")),
        swap_kib=_number(one.get("swap_kib")),
        machine_id=one.get("machine_id", ""),
        cgroup=one.get("cgroup", ""),
        macs=tuple(many.get("mac", ())),
        missing=tuple(many.get("missing", ())),
        nameservers=tuple(many.get("nameserver", ())),
        readonly=tuple(
            at for at, options in _mounts(many, own=False) if at.startswith(_CGROUPS) and "ro" in options.split(",")
        ),
        default_route=one.get("default_route", ""),
        ports=frozenset(int(port, 16) for port in many.get("port", ())),
        files=frozenset(many.get("file", ())),
        active=frozenset(many.get("active", ())),
        free_kib={path: _number(size) for size, _, path in (v.partition(" ") for v in many.get("free_kib", ()))},
        nodefs=_disk(one.get("nodefs", "")),
        imagefs=_disk(one.get("imagefs", "")),
        present=frozenset(many.get("present", ())),
        marks=dict(_pair(mark) for mark in many.get("mark", ())),
        kube_ca=one.get("kube_ca", ""),
        registry_ca=one.get("registry_ca", ""),
        own_hosts=one.get("own_hosts", ""),
        digests={path: digest for digest, path in map(_pair, many.get("digest", ()))},
        features=frozenset(many.get("feature", ())),
        ip_forward=one.get("sysctl_ip_forward") == "1",
        controllers=frozenset((*one.get("controllers", "").split(), *many.get("controller", ()))),
        mounts=dict(_mounts(many, own=True)),
        interfaces=tuple(_pair(value) for value in many.get("interface", ())),
        ways=tuple(_pair(value) for value in many.get("way", ())),
        modules=frozenset(many.get("module", ())),
        has_modules=bool(one.get("modules")),
        unwritable=tuple(dict.fromkeys(many.get("unwritable", ()))),
        free_inodes=_number(one["free_inodes"]) if one.get("free_inodes", "").isdecimal() else None,
        product_uuid=one.get("product_uuid", ""),
        selinux=one.get("selinux") == "1",
    )


def _number(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isdecimal() else default


def _seconds(text: str) -> float:
    whole, _, part = text.partition(".")
    return float(f"{whole}.{part if part.isdecimal() else 0}") if whole.isdecimal() else 0.0


def _disk(text: str) -> Disk:
    free, size = _pair(text)
    return Disk(_number(free), _number(size))


def _mounts(many: Mapping[str, list[str]], *, own: bool) -> Iterator[tuple[str, str]]:
    """Yield place and options of each mount; with those of the file system itself when `own`."""
    for line in many.get("mount", ()):
        at, _, options, others = line.split(" ", 3)
        yield at, f"{options},{others}" if own else options


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(" ")
    return key, value
