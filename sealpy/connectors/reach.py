"""Choose how a machine is reached: this one without SSH, every other one through it."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path

from sealpy.connectors import Connector
from sealpy.connectors.local import LocalConnector
from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.sudo import Sudo
from sealpy.connectors.target import Target
from sealpy.events import Emit

__all__ = ["is_this_machine", "reach"]

_DISCARD = 9  # a port; nothing is sent to it


def reach(target: Target, *, known_hosts: Path, emit: Emit) -> Connector:
    """Give the connector for a target; it connects at its first command."""
    if not is_this_machine(target.address):
        return SshConnector(target, known_hosts=known_hosts, emit=emit)
    return LocalConnector(target.address, sudo=Sudo(target.sudo_password or target.password) if os.geteuid() else None)


def is_this_machine(address: str) -> bool:
    """Tell whether an address is one of this machine's own, by the source that the kernel would choose to reach it.

    Binding to the address would not tell: `net.ipv4.ip_nonlocal_bind` allows that for any. Loopback addresses do not
    count: who names one with a port means the server behind it.
    """
    ip = ipaddress.ip_address(address)
    if ip.is_loopback:
        return False
    with socket.socket(socket.AF_INET6 if ip.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:  # noqa: PLR2004
        try:
            probe.connect((address, _DISCARD))
        except OSError:  # no route: certainly not here
            return False
        return ipaddress.ip_address(probe.getsockname()[0]) == ip
