"""Where files go: room, and whether they can be written and run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sealpy.checks.model import Finding, Stage, Subject, check

if TYPE_CHECKING:
    from sealpy.inventory import Disk

__all__ = ["CHECKS", "kept_kib"]

_SPARE_KIB = 2 * 1024 * 1024  # beside the rootfs: container images unpacked, logs, etcd
_INODES = 50_000  # a dozen container images
_MIB = 1024  # in KiB
_LETTERS = "kMGTPE"
_UNITS = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate(_LETTERS, start=1)},
    **{f"{letter.upper()}i": 1024**power for power, letter in enumerate(_LETTERS, start=1)},
}
_AMOUNT = re.compile(rf"(\d+(?:\.\d+)?)(%|{'|'.join(_UNITS)})")


@check("disk-space", reason="a disk that fills up ends etcd, and the kubelet evicts pods", stage=Stage.BEFORE_NODE)
def _space(subject: Subject) -> Iterator[Finding]:
    if "rootfs" in subject.facts.marks:
        return
    for problem in subject.facts.without_room(subject.needs.image_kib + _SPARE_KIB):
        yield Finding(problem.message, problem.hint)


@check(
    "disk-pressure", reason="a kubelet starts no pods where less is free than it is to keep", stage=Stage.BEFORE_NODE
)
def _pressure(subject: Subject) -> Iterator[Finding]:
    coming = 0 if "rootfs" in subject.facts.marks else subject.needs.image_kib + _SPARE_KIB
    if any(subject.facts.without_room(coming)):
        return  # told already
    lacking: dict[Disk, tuple[int, str]] = {}  # one disk may be both: the greater need counts
    for disk, signal, place in (
        (subject.facts.nodefs, "nodefs.available", "/var/lib/kubelet"),
        (subject.facts.imagefs, "imagefs.available", "/var/lib/containerd"),
    ):
        amount = subject.needs.kept_free.get(signal, "")
        kept = kept_kib(amount, of=disk)
        message = (
            f"{disk.free_kib // _MIB} MiB free for {place}, {(coming + kept) // _MIB} are needed: "
            f"the kubelet starts no pods below {signal} {amount}"
        )
        if disk.size_kib and disk.free_kib < coming + kept:
            lacking[disk] = max(lacking.get(disk, (0, "")), (kept, message))
    for _, message in lacking.values():
        yield Finding(message, "make room: du -xh -d1 /var/lib; or set evictionHard in a KubeletConfiguration")


def kept_kib(amount: str, *, of: Disk) -> int:
    """Give what an amount of the kubelet's `evictionHard`, `15%` or `1Gi`, is of a disk, in KiB; 0 for none at all."""
    match = _AMOUNT.fullmatch(amount)
    if not match:
        return 0
    number, unit = float(match[1]), match[2]
    if unit == "%":
        return int(of.size_kib * number / 100) if number < 100 else 0  # noqa: PLR2004 - 100 % is the kubelet's "never"
    return int(number * _UNITS[unit]) // 1024


@check("disk-inodes", reason="container images are many small files", stage=Stage.BEFORE_NODE)
def _inodes(subject: Subject) -> Iterator[Finding]:
    free = subject.facts.free_inodes
    # A file system that makes inodes as it needs them, such as btrfs, says 0.
    if free is not None and 0 < free < _INODES:
        yield Finding(
            f"{free} inodes free on /var/lib, {_INODES} are needed", "remove small files, or use another disk"
        )


@check("writable", reason="files of Kubernetes, of the image and of the container engine go there")
def _writable(subject: Subject) -> Iterator[Finding]:
    for path in subject.facts.unwritable:
        yield Finding(
            f"{path} cannot be written to", f"mount -o remount,rw {_mount_of(path, subject)}; the kernel's log says why"
        )


@check("executable", reason="the scripts and programs of the image are run from there", stage=Stage.BEFORE_NODE)
def _executable(subject: Subject) -> Iterator[Finding]:
    for path in (subject.needs.data_root, "/var/lib"):
        place = _mount_of(path, subject)
        if "noexec" in subject.facts.mounts.get(place, "").split(","):
            yield Finding(f"{path} is mounted noexec", f"mount -o remount,exec {place}, and mend /etc/fstab")
            return


def _mount_of(path: str, subject: Subject) -> str:
    """Give the mount that a path lies on."""
    at = PurePosixPath(path)
    return next((str(place) for place in (at, *at.parents) if str(place) in subject.facts.mounts), "/")


CHECKS = (_space, _pressure, _inodes, _writable, _executable)
