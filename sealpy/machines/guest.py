"""One machine: what makes it itself, how it is started in namespaces of its own, and whether it answers.

Nothing of a machine is mounted or named where others see it. It starts in a mount namespace and a network namespace
without a name, so that its root, its mounts and its cable go away with its last process, however that ends.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sealpy.disk import reason_of, write_whole
from sealpy.errors import MachineError, NotReadyError
from sealpy.machines.keys import KeyPair
from sealpy.machines.network import hardware_address

__all__ = ["Guest"]

# Directories that are no overlay: a container engine cannot put its own overlay on one, and the kubelet and etcd
# measure the disk they lie on.
_DISKS = ("containerd", "kubelet", "etcd", "sealpy")

# $@: groups to join … -- link bridge hardware-address address gateway base -- words of systemd-nspawn …
# File descriptor 3 is the network namespace of this computer: from the new one, the other end of the cable goes there.
_OUTSIDE = """
exec 3< /proc/self/ns/net
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done
shift
exec unshare --mount --net --propagation private sh -euc "$INSIDE" sh "$@"
"""
_INSIDE = """
link=$1 bridge=$2 hardware=$3 address=$4 gateway=$5 base=$6
shift 7
ip link add name eth0 address "$hardware" type veth peer name "$link" netns /proc/self/fd/3
nsenter --net=/proc/self/fd/3 ip link set dev "$link" master "$bridge" up
exec 3<&-
ip link set dev lo up
ip address add "$address" dev eth0
ip link set dev eth0 up
ip route add default via "$gateway"
mount -t overlay -o "lowerdir=$base,upperdir=upper,workdir=work" overlay root
mount -t tmpfs tmpfs /run/systemd
unset INSIDE
status=133  # how systemd-nspawn ends when the machine is to boot again
while [ "$status" = 133 ]; do
  status=0
  "$@" || status=$?
done
exit "$status"
"""

_ADMIN = 1000  # as in the recipe of the base
_DEADLINE = 60.0
_PAUSE = 0.05
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Hold one machine and its directory; `base` is the name of a directory beside the lab's."""

    name: str
    unit: str
    directory: Path
    address: str
    base: str

    def furnish(self, *, authorized_key: str, password: str) -> str:
        """Write what makes the machine itself, once; gives the public half of its host key.

        The files lie in the upper directory of its root, which is made under another name and renamed.
        """
        for name in ("root", "work", *(f"disk/{disk}" for disk in _DISKS)):
            (self.directory / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        upper = self.directory / "upper"
        if not upper.exists():
            self._write_upper(upper.with_name("upper.part"), authorized_key=authorized_key, password=password)
            upper.with_name("upper.part").rename(upper)
        return (upper / "etc/ssh/ssh_host_ed25519_key.pub").read_text().strip()

    def start(self, groups: Iterable[Path], *, link: str, bridge: str, network: str, gateway: str) -> None:
        """Start the machine and come back at once; `network` is its address with the length of the prefix."""
        cable = (link, bridge, hardware_address(self.address), network, gateway, f"../../../{self.base}")
        # `setsid --fork` makes it nobody's child: it outlives us, and we need not wait for it
        words = [
            "setsid",
            "--fork",
            "sh",
            "-euc",
            _OUTSIDE,
            "sh",
            *map(str, groups),
            "--",
            *cable,
            "--",
            *self._nspawn(),
        ]
        with (self.directory / "console.log").open("wb") as console:
            subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "INSIDE": _INSIDE},
                umask=0o022,
                check=True,
            )

    def last_words(self) -> str:
        """Give the last line on the machine's console."""
        with suppress(FileNotFoundError):
            lines = _COLORS.sub("", (self.directory / "console.log").read_text("utf-8", "replace")).split("\n")
            return next((line.strip() for line in reversed(lines) if line.strip()), "")
        return ""

    def wait(self, alive: Callable[[], bool]) -> None:
        """Wait until sshd answers; raises MachineError when the machine ends, NotReadyError when it takes too long."""
        began = time.monotonic()
        while seen := _greeting_missing(self.address):
            waited = time.monotonic() - began
            if not alive():
                raise MachineError(
                    f"{self.name}: ended while it started: {self.last_words()}",
                    hint=f"read {self.directory / 'console.log'}, then type: sealpy lab down",
                )
            if waited > _DEADLINE:
                raise NotReadyError(
                    f"{self.name}: ssh answers on {self.address}:22",
                    waited=waited,
                    last_seen=f"{seen}; on its console: {self.last_words()}",
                    hint=f"read {self.directory / 'console.log'}, then type: sealpy lab down",
                )
            time.sleep(_PAUSE)

    def _nspawn(self) -> tuple[str, ...]:
        binds = [f"--bind={_colons(self.directory / 'disk' / disk)}:/var/lib/{disk}" for disk in _DISKS]
        if Path("/dev/kmsg").exists():  # where the kubelet learns that the kernel killed something
            binds.append("--bind=/dev/kmsg")
        if Path("/lib/modules").exists():
            binds.append("--bind-ro=/lib/modules")
        return (
            *("systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", "--link-journal=no"),
            *(f"--machine={self.unit}", f"--hostname={self.name}", f"--directory={self.directory / 'root'}"),
            *("--network-namespace-path=/proc/self/ns/net", "--resolv-conf=off", "--timezone=off"),
            *("--capability=all", "--system-call-filter=@known"),  # the kubelet and runc are to be at home
            *binds,
            "--boot",
        )

    def _write_upper(self, root: Path, *, authorized_key: str, password: str) -> None:
        shutil.rmtree(root, ignore_errors=True)
        host_key = KeyPair.generate()
        hosts = f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{self.address} {self.name}\n"
        for place, content, mode in (
            ("etc/hostname", f"{self.name}\n", 0o644),
            ("etc/hosts", hosts, 0o644),
            ("etc/machine-id", f"{uuid.uuid4().hex}\n", 0o444),
            ("etc/ssh/ssh_host_ed25519_key", host_key.private, 0o600),
            ("etc/ssh/ssh_host_ed25519_key.pub", f"{host_key.public}\n", 0o644),
            ("root/.ssh/authorized_keys", f"{authorized_key}\n", 0o600),
            ("root/.passwords", f"root:{password}\nadmin:{password}\n", 0o600),
            ("home/admin/.ssh/authorized_keys", f"{authorized_key}\n", 0o600),
        ):
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content, mode=mode)
        _own(root)


def _own(root: Path) -> None:
    """Give the directories of an upper layer the modes and owners that they have in the base, whose place they take."""
    for directory in (root, *(path for path in root.rglob("*") if path.is_dir())):
        directory.chmod(0o700 if directory.name in {".ssh", "admin"} or directory == root / "root" else 0o755)
    for path in (root / "home/admin", *(root / "home/admin").rglob("*")):
        os.chown(path, _ADMIN, _ADMIN)


def _greeting_missing(address: str) -> str:
    """Tell what is there instead of the greeting of an SSH server; nothing when it is there."""
    try:
        with socket.create_connection((address, 22), timeout=1.0) as connection:
            greeting = connection.recv(64)
    except OSError as error:
        return reason_of(error)
    return "" if greeting.startswith(b"SSH-") else f"port 22 says {greeting!r}"


def _colons(path: Path) -> str:
    """Write a path for --bind, which reads a colon as the end of it."""
    return str(path).replace(":", "\\:")
