"""Choose how a machine is reached: this one without SSH, every other one through it."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path

from sealpy.connectors import Connector
from sealpy.connectors.interruption import Interruption
from sealpy.connectors.jump import Jumps
from sealpy.connectors.local import LocalConnector
from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.sudo import Sudo
from sealpy.connectors.target import Target
from sealpy.events import Emit

__all__ = ["Ways", "is_this_machine"]

_DISCARD = 9  # a port; nothing is sent to it


class Ways:
    """Reach machines; those behind one jump host share the connection to it."""

    def __init__(
        self,
        *,
        known_hosts: Path,
        emit: Emit,
        ssh_dir: Path | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        """Take our `known_hosts` file, and the user's `ssh_dir` (`~/.ssh`), which is only read.

        A login is given up once there is an interruption.
        """
        self._jumps = Jumps(
            known_hosts=known_hosts,
            emit=emit,
            ssh_dir=ssh_dir or Path.home() / ".ssh",
            interruption=interruption,
        )

    def to(self, target: Target) -> Connector:
        """Give the connector for a target; it connects at its first command.

        An address behind a jump host is one of another network, whatever it is here.
        """
        if target.jumps or not is_this_machine(target.address):
            return SshConnector(target, self._jumps)
        sudo = Sudo(target.sudo_password or target.password) if os.geteuid() else None
        return LocalConnector(target.address, sudo=sudo)


def is_this_machine(address: str) -> bool:
    """Tell whether an address is one of this machine's own, by the source that the kernel would choose to reach it.

    Binding to the address would not tell: `net.ipv4.ip_nonlocal_bind` allows that for any. Loopback addresses do not
    count: who names one with a port means the server behind it.
    """
    ip = ipaddress.ip_address(address)
    if ip.is_loopback:
        return False
    family = socket.AF_INET if isinstance(ip, ipaddress.IPv4Address) else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, _DISCARD))
        except OSError:  # no route: certainly not here
            return False
        return ipaddress.ip_address(probe.getsockname()[0]) == ip
