"""Refuse what kubeadm would fail on, and more, before anything is changed: every problem of every host at once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from sealpy.context import Context
from sealpy.engine import Executor, Phase
from sealpy.errors import PreflightError, Problem
from sealpy.events import PhaseFinished, PhaseStarted
from sealpy.inventory import Facts, Host

__all__ = ["Preflight", "check_host", "check_together"]

_MASTER_PORTS = (6443, 10257, 10259, 2379, 2380)
_NODE_PORTS = (10250,)
_MIN_CPUS = 2  # kubeadm's NumCPU
_MIN_MEMORY_KIB = 1700 * 1024  # kubeadm's Mem
_SPARE_KIB = 2 * 1024 * 1024  # beside the rootfs: container images unpacked, logs, etcd
_CLOCKS_DIFFER = 60  # seconds; a certificate must not lie in the future
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}


class Preflight(Phase[Context]):
    """Check that the hosts can become nodes."""

    def __init__(self, *, renames: bool = False) -> None:
        """Take whether a plugin gives the hosts their names later: then equal ones are no problem yet."""
        self._renames = renames

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Look at the facts alone; no host is asked again."""
        begun = time.monotonic()
        hosts = ctx.inventory.addresses
        executor.emit(PhaseStarted(phase=self.name, title=self.title, hosts=hosts))
        problems = find_problems(ctx, renames=self._renames)
        executor.emit(
            PhaseFinished(
                phase=self.name,
                title=self.title,
                seconds=time.monotonic() - begun,
                changed=0,
                failed=tuple((host, str(found[0])) for host, found in problems.items()),
            )
        )
        if problems:
            raise PreflightError(problems, hint="nothing was changed on any host; mend these and run it again")


def find_problems(ctx: Context, *, renames: bool = False) -> dict[str, list[Problem]]:
    """Give the problems by host; hosts without any are left out."""
    size = ctx.image.size // 1024
    platform = ctx.image.config.architecture
    problems: dict[str, list[Problem]] = {}
    together = check_together(ctx.facts, renames=renames)
    for host in ctx.inventory:
        facts = ctx.facts[host.address]
        found = [*check_host(host, facts, platform=platform, image_kib=size), *together.get(host.address, [])]
        if host.address in ctx.registry.hosts and not facts.marks and ctx.registry.port in facts.ports:
            found.append(
                Problem(f"port {ctx.registry.port} of the registry is in use", hint="spec.registry has `port`")
            )
        if "node" in facts.marks and not ctx.is_node(host.address):
            found.append(Problem("is a node of another cluster of this name", hint="sealpy delete -a, then run again"))
        if found:
            problems[host.address] = found
    return problems


def check_host(host: Host, facts: Facts, *, platform: str, image_kib: int) -> Iterator[Problem]:
    """Check one host by its own facts; `platform` and `image_kib` are those of the cluster image."""
    if facts.init != "systemd":
        yield Problem(f"process 1 is '{facts.init}', not systemd", hint="use a machine that systemd runs")
    for program in facts.missing:
        yield Problem(f"program '{program}' is missing", hint="install it with the host's package manager")
    if platform and _ARCHITECTURES.get(facts.arch, facts.arch) != platform:
        yield Problem(f"processor is {facts.arch}, the image is for {platform}", hint="use an image for this processor")
    if not facts.default_route:
        yield Problem("no default route: the kubelet cannot choose an address", hint="ip route add default via …")
    if facts.readonly:
        yield Problem(f"control groups are read-only: {', '.join(facts.readonly)}", hint="mount -o remount,rw …")
    if "overlay" not in facts.features:
        yield Problem("kernel has no overlay file system", hint="modprobe overlay, or use another kernel")
    if host.is_master:
        yield from _check_size(facts)
    if "node" not in facts.marks:
        yield from _check_free(host, facts)
        yield from _check_disk(facts, image_kib)


def _check_size(facts: Facts) -> Iterator[Problem]:
    if facts.cpus < _MIN_CPUS:
        yield Problem(f"{facts.cpus} cpu, a control plane needs {_MIN_CPUS}", hint="give the machine more")
    if facts.memory_kib < _MIN_MEMORY_KIB:
        need = _MIN_MEMORY_KIB // 1024
        yield Problem(f"{facts.memory_kib // 1024} MiB memory, a control plane needs {need}", hint="give it more")


def _check_free(host: Host, facts: Facts) -> Iterator[Problem]:
    """Look for what somebody else left; what an earlier run of ours began carries its marks and is gone on with."""
    if facts.marks:
        return
    wanted = (*_MASTER_PORTS, *_NODE_PORTS) if host.is_master else _NODE_PORTS
    for port in wanted:
        if port in facts.ports:
            yield Problem(f"port {port} is in use", hint=f"ss -lntp 'sport = :{port}' names the process")
    for trace in sorted(facts.files):
        yield Problem(f"{trace} is there: an earlier cluster", hint="kubeadm reset -f, or another machine")
    for engine in ("docker", "containerd"):
        if engine in facts.active:
            yield Problem(f"{engine} is running already", hint=f"the image brings its own: remove {engine} first")


def _check_disk(facts: Facts, image_kib: int) -> Iterator[Problem]:
    for path, free in facts.free_kib.items():
        if "rootfs" not in facts.marks and free < image_kib + _SPARE_KIB:
            need = (image_kib + _SPARE_KIB) // 1024
            yield Problem(f"{free // 1024} MiB free on {PurePosixPath(path)}, {need} are needed", hint="make room")


def check_together(facts: Mapping[str, Facts], *, renames: bool = False) -> dict[str, list[Problem]]:
    """Check what must differ, or agree, between hosts; problems by host."""
    problems: dict[str, list[Problem]] = {}
    for what, values in (
        ("host name", {} if renames else {address: (fact.name,) for address, fact in facts.items()}),
        ("machine-id", {address: (fact.machine_id,) for address, fact in facts.items() if fact.machine_id}),
        ("MAC address", {address: fact.macs for address, fact in facts.items()}),
    ):
        seen = Counter(value for many in values.values() for value in set(many))
        for address, many in values.items():
            for value in many:
                if seen[value] > 1:
                    problem = Problem(f"{what} '{value}' is another host's too", hint="give each machine its own")
                    problems.setdefault(address, []).append(problem)
    clocks = sorted(fact.time for fact in facts.values())
    middle = clocks[len(clocks) // 2] if clocks else 0
    for address, fact in facts.items():
        if abs(fact.time - middle) > _CLOCKS_DIFFER:
            problem = Problem(f"clock is {fact.time - middle:+d} s off from the others", hint="set it; use NTP")
            problems.setdefault(address, []).append(problem)
    return problems
