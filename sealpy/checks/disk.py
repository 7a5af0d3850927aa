"""Where files go: room, and whether they can be written and run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from sealpy.checks.model import Finding, Stage, Subject, check

__all__ = ["CHECKS"]

_SPARE_KIB = 2 * 1024 * 1024  # beside the rootfs: container images unpacked, logs, etcd
_INODES = 50_000  # a dozen container images


@check("disk-space", reason="a disk that fills up ends etcd, and the kubelet evicts pods", stage=Stage.BEFORE_NODE)
def _space(subject: Subject) -> Iterator[Finding]:
    if "rootfs" in subject.facts.marks:
        return
    for problem in subject.facts.without_room(subject.needs.image_kib + _SPARE_KIB):
        yield Finding(problem.message, problem.hint)


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


CHECKS = (_space, _inodes, _writable, _executable)
