"""The recipe of the root file system that all machines share: packages, and the files we put in.

Whatever changes here changes the digest, and so the name of the base: an old base is never taken for a new one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sealpy.errors import MachineError

__all__ = ["DEBIAN", "Recipe"]

# What a kubelet, a container engine and the people who look after them take for granted on a server.
_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "ca-certificates", "procps", "kmod"),
    *("iproute2", "iptables", "nftables", "ipset", "conntrack", "ebtables", "ethtool", "socat", "iputils-ping"),
    *("libseccomp2", "gzip", "xz-utils"),
)

# systemd-nspawn mounts these read-only for a guest that is not trusted; the kubelet must write there. The root is
# shared, because the kubelet hands on mounts to containers. /sys/fs/cgroup is read-only in the file system itself.
_PREPARE = """\
#!/bin/sh
mount --make-rshared /
mount -o remount,bind,rw /proc/sys
mount -o remount,bind,rw /sys
mount -o remount,rw /sys/fs/cgroup
for group in /sys/fs/cgroup/*/; do ! mountpoint -q "$group" || mount -o remount,bind,rw "$group"; done
[ ! -e /root/.passwords ] || { chpasswd --crypt-method SHA512 < /root/.passwords && rm /root/.passwords; }
"""

_PREPARE_UNIT = """\
[Unit]
Description=Make this machine fit for Kubernetes
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-prepare
"""

_SSHD = """\
PermitRootLogin yes
PasswordAuthentication yes
UseDNS no
"""

# Nobody but root may log in before systemd-user-sessions has said so: a port that answers is one that lets in.
_SSH_UNIT = """\
[Unit]
After=systemd-user-sessions.service
"""

# There is nothing for them to do in a machine without devices, screens, disks and names to resolve.
_MASKED = (
    *("systemd-udevd.service", "systemd-udev-trigger.service", "systemd-udevd-kernel.socket"),
    *("systemd-udevd-control.socket", "systemd-networkd.service", "systemd-resolved.service"),
    *("console-getty.service", "getty@tty1.service", "e2scrub_reap.service", "e2scrub_all.timer"),
    *("fstrim.timer", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "motd-news.timer"),
    *("dev-hugepages.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "systemd-modules-load.service"),
    *("systemd-timesyncd.service", "modprobe@.service"),
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Say what a base consists of; `files` maps absolute paths to text, `links` to what a symlink points to."""

    suite: str
    packages: tuple[str, ...]
    files: Mapping[str, str]
    links: Mapping[str, str]
    programs: tuple[str, ...] = ()  # those of `files` that are run
    removed: tuple[str, ...] = ()  # paths below the root that must not be in a base
    commands: tuple[tuple[str, ...], ...] = field(default=())  # run inside, last

    @property
    def name(self) -> str:
        """Give the name of the base that this recipe makes."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"base-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def apply(self, root: Path) -> None:
        """Put our part into a root file system that has the packages; raises MachineError when a command fails."""
        for pattern in self.removed:
            for path in root.glob(pattern):
                path.unlink()
        for place, text in self.files.items():
            path = _make_room(root, place)
            path.write_text(text)
            path.chmod(0o755 if place in self.programs else 0o644)
        for place, target in self.links.items():
            _make_room(root, place).symlink_to(target)
        for command in self.commands:
            done = subprocess.run(["chroot", root, *command], capture_output=True, text=True, check=False)
            if done.returncode:
                raise MachineError(f"lab base: '{' '.join(command)}' failed: {done.stderr.strip()}")
        shutil.rmtree(root / "var/cache/apt", ignore_errors=True)


def _make_room(root: Path, place: str) -> Path:
    path = root / place.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path


_UNITS = "/etc/systemd/system"

DEBIAN = Recipe(
    suite="bookworm",
    packages=_PACKAGES,
    files={
        "/usr/local/sbin/lab-prepare": _PREPARE,
        f"{_UNITS}/lab-prepare.service": _PREPARE_UNIT,
        f"{_UNITS}/ssh.service.d/lab.conf": _SSH_UNIT,
        "/etc/ssh/sshd_config.d/lab.conf": _SSHD,
        "/etc/machine-id": "",
        "/etc/resolv.conf": "",
        "/etc/motd": "",
    },
    programs=("/usr/local/sbin/lab-prepare",),
    links={
        f"{_UNITS}/sysinit.target.wants/lab-prepare.service": "../lab-prepare.service",
        f"{_UNITS}/default.target": "/lib/systemd/system/multi-user.target",
        **{f"{_UNITS}/{unit}": "/dev/null" for unit in _MASKED},
    },
    removed=("etc/ssh/ssh_host_*", "etc/hostname", "var/lib/dbus/machine-id"),
    commands=(("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo", "--uid", "1000", "admin"),),
)
