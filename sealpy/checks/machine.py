"""The machine itself: its system, its processor, its size, its programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sealpy.checks.model import Finding, Stage, Subject, check

__all__ = ["CHECKS"]

_MIN_CPUS = 2  # kubeadm's NumCPU
_MIN_MEMORY_KIB = 1700 * 1024  # kubeadm's Mem
_WORKER_MEMORY_KIB = 700 * 1024  # kubelet, container engine, network, and some room for pods
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")
_CLOCKS = frozenset({"systemd-timesyncd", "chronyd", "chrony", "ntpd", "ntp", "ntpsec"})


@check("system", reason="the programs of the image are for Linux")
def _system(subject: Subject) -> Iterator[Finding]:
    if subject.facts.system != "Linux":
        yield Finding(f"system is {subject.facts.system}, not Linux", "use a Linux machine")


@check("arch", reason="the programs of an image run on one kind of processor")
def _arch(subject: Subject) -> Iterator[Finding]:
    arch, platform = subject.facts.arch, subject.needs.platform
    if platform and _ARCHITECTURES.get(arch, arch) != platform:
        yield Finding(f"processor is {arch}, the image is for {platform}", "use an image for this processor")


@check("init", reason="kubelet and container engine are units of systemd")
def _init(subject: Subject) -> Iterator[Finding]:
    if subject.facts.init != "systemd":
        yield Finding(f"process 1 is '{subject.facts.init}', not systemd", "use a machine that systemd runs")


@check("programs", reason="the scripts of the image and sealpy itself call them")
def _programs(subject: Subject) -> Iterator[Finding]:
    for program in subject.facts.missing:
        yield Finding(f"program '{program}' is missing", "install it with the host's package manager")


@check("cpu", reason="a control plane on one processor does not answer in time", stage=Stage.BEFORE_NODE)
def _cpu(subject: Subject) -> Iterator[Finding]:
    if subject.host.is_master and subject.facts.cpus < _MIN_CPUS:
        yield Finding(f"{subject.facts.cpus} cpu, a control plane needs {_MIN_CPUS}", "give the machine more")


@check("memory", reason="the kernel ends etcd and the API server where there is too little", stage=Stage.BEFORE_NODE)
def _memory(subject: Subject) -> Iterator[Finding]:
    least, what = (_MIN_MEMORY_KIB, "a control plane") if subject.host.is_master else (_WORKER_MEMORY_KIB, "a worker")
    if subject.facts.memory_kib < least:
        yield Finding(f"{subject.facts.memory_kib // 1024} MiB memory, {what} needs {least // 1024}", "give it more")


@check("hostname", reason="it becomes the name of the node", stage=Stage.BEFORE_NODE)
def _hostname(subject: Subject) -> Iterator[Finding]:
    name = subject.facts.name
    if subject.needs.renamed:
        return
    if name in {"localhost", "localhost.localdomain"}:
        yield Finding(f"host name is '{name}'", "hostnamectl set-hostname NAME")
    elif not _NAME.fullmatch(name):
        yield Finding(f"host name '{name}' cannot be that of a node", "hostnamectl set-hostname NAME: a-z, 0-9, '-'")


@check("machine-id", reason="network plug-ins and logs tell machines apart by it", stage=Stage.BEFORE_NODE)
def _machine_id(subject: Subject) -> Iterator[Finding]:
    if not subject.facts.machine_id.strip("0"):
        yield Finding("there is no machine-id", "systemd-machine-id-setup")


@check("time-sync", severity="warning", reason="clocks that nobody sets drift apart", stage=Stage.BEFORE_NODE)
def _time_sync(subject: Subject) -> Iterator[Finding]:
    if not subject.facts.active & _CLOCKS and "container" not in subject.facts.features:
        yield Finding("nothing sets the clock", "install chrony, or systemctl enable --now systemd-timesyncd")


CHECKS = (_system, _arch, _init, _programs, _cpu, _memory, _hostname, _machine_id, _time_sync)
