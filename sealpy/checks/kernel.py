"""The kernel: control groups, file systems, modules, swap."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sealpy.checks.model import Finding, Stage, Subject, check

__all__ = ["CHECKS"]

_OLDEST = (4, 19)  # the oldest kernel that Kubernetes is tested with
_CONTROLLERS = ("cpu", "memory", "pids")
_MODULES = ("nf_conntrack", "vxlan")


@check("kernel-version", severity="warning", reason="Kubernetes is tested with 4.19 and later", stage=Stage.BEFORE_NODE)
def _version(subject: Subject) -> Iterator[Finding]:
    match = re.match(r"(\d+)\.(\d+)", subject.facts.kernel)
    if match and (int(match[1]), int(match[2])) < _OLDEST:
        yield Finding(f"kernel is {subject.facts.kernel}, older than {_OLDEST[0]}.{_OLDEST[1]}", "use a newer system")


@check("cgroups-writable", reason="the kubelet makes a control group for each pod")
def _cgroups_writable(subject: Subject) -> Iterator[Finding]:
    if subject.facts.readonly:
        places = ", ".join(subject.facts.readonly)
        yield Finding(f"control groups are read-only: {places}", f"mount -o remount,rw {subject.facts.readonly[0]}")


@check("cgroups", reason="the kubelet limits pods by them", stage=Stage.BEFORE_NODE)
def _cgroups(subject: Subject) -> Iterator[Finding]:
    found = subject.facts.controllers
    missing = [name for name in _CONTROLLERS if name not in found] if found else []
    if missing:
        hint = f"add `cgroup_enable={missing[0]}` to the kernel's command line and boot again"
        yield Finding(f"control groups are without {', '.join(missing)}", hint)


@check("overlay", reason="containers are stacked by it")
def _overlay(subject: Subject) -> Iterator[Finding]:
    if "overlay" not in subject.facts.features and "overlay" not in subject.facts.modules:
        yield Finding("kernel has no overlay file system", "modprobe overlay, or use another kernel")


@check("kernel-modules", severity="warning", reason="networks of pods need them", stage=Stage.BEFORE_NODE)
def _modules(subject: Subject) -> Iterator[Finding]:
    """Look only where the kernel has modules at all: what is built in is seen nowhere."""
    if not subject.facts.has_modules:
        return
    missing = [name for name in _MODULES if name not in subject.facts.modules]
    if "bridge" not in subject.facts.features and "br_netfilter" not in subject.facts.modules:
        missing.append("br_netfilter")
    if missing:
        hint = "install the kernel's extra modules (linux-modules-extra, kernel-modules)"
        yield Finding(f"kernel lacks modules: {', '.join(missing)}", hint)


@check("swap", severity="warning", reason="a kubelet that is not told to stops at swap", stage=Stage.BEFORE_NODE)
def _swap(subject: Subject) -> Iterator[Finding]:
    if subject.facts.swap_kib:
        yield Finding(
            f"{subject.facts.swap_kib // 1024} MiB swap is on",
            "swapoff -a and take it out of /etc/fstab, or `failSwapOn: false` in a KubeletConfiguration",
        )


@check("kmsg", reason="the kubelet reads there which processes were ended for want of memory", stage=Stage.UNTOUCHED)
def _kmsg(subject: Subject) -> Iterator[Finding]:
    if subject.facts.interfaces and "kmsg" not in subject.facts.features:  # the other says that it was asked at all
        yield Finding("there is no /dev/kmsg", "in a container: ln -s /dev/console /dev/kmsg, else use another kernel")


@check("selinux", severity="warning", reason="it may keep containers from their files", stage=Stage.BEFORE_NODE)
def _selinux(subject: Subject) -> Iterator[Finding]:
    if subject.facts.selinux:
        yield Finding("SELinux enforces its rules", "install container-selinux, or setenforce 0 to try")


CHECKS = (_version, _cgroups_writable, _cgroups, _overlay, _modules, _swap, _kmsg, _selinux)
