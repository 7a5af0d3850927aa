"""The wire of a lab: one bridge on this computer, and a rule that nothing passes between it and the world outside.

The machines have a default route, because Kubernetes chooses its addresses by it; it ends at the bridge. This computer
answers on the bridge, but does not forward, whatever its `ip_forward` says: the nftables table of the lab drops it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from shutil import which
from typing import Any

from sealpy.errors import MachineError
from sealpy.machines.names import Names
from sealpy.machines.programs import run, succeeds

__all__ = ["Wire", "free_subnet", "hardware_address"]

_CANDIDATES = tuple(ipaddress.IPv4Network(f"10.99.{third}.0/24") for third in range(256))


def free_subnet(taken: Iterable[str] = ()) -> str:
    """Choose the first 10.99.N.0/24 that no route, no address of this computer and no other lab (`taken`) has."""
    routes = {str(route.get("dst", "")) for route in _ip("route", "show", "table", "all")}
    used = [ipaddress.IPv4Network(text, strict=False) for text in (*routes, *taken) if text[:1].isdigit()]
    for candidate in _CANDIDATES:
        if not any(candidate.overlaps(other) for other in used if other.prefixlen):
            return str(candidate)
    raise MachineError("lab: no free network in 10.99.0.0/16", hint="type: sealpy lab list, and take down a lab")


def hardware_address(address: str) -> str:
    """Give the hardware address that belongs to an address of a lab.

    It is always the same one, so that neighbours that remember it are right after a machine was made anew, and so that
    the bridge keeps its own when machines are plugged in.
    """
    return "02:99:" + ipaddress.IPv4Address(address).packed.hex(":")


@dataclass(frozen=True, slots=True)
class Wire:
    """Hold the bridge of one lab; `owner` is the directory of the lab's home, which the bridge carries as its alias."""

    names: Names
    owner: str

    def raise_up(self, subnet: str) -> None:
        """Make the bridge and its rule; what stands already is left as it is."""
        bridge, network = self.names.bridge, ipaddress.IPv4Network(subnet)
        self.claim()
        run("nft", "-f", "-", stdin=_rules(self.names.table, bridge))
        if bridge not in _links():
            run("ip", "link", "add", "name", bridge, "address", hardware_address(str(network[1])), "type", "bridge")
        run("ip", "link", "set", "dev", bridge, "alias", self.owner)
        run("ip", "address", "replace", f"{network[1]}/{network.prefixlen}", "dev", bridge)
        run("ip", "link", "set", "dev", bridge, "up")
        if _forward_is_closed() and not self._has_passage():
            run("iptables", "--wait", "--insert", *_passage(bridge))

    def claim(self) -> None:
        """Raise MachineError when a lab of this name belongs to another home."""
        owner = _links().get(self.names.bridge, "")
        if owner and owner != self.owner:
            raise MachineError(
                f"lab '{self.names.lab}': belongs to the home '{owner}'",
                hint=f"take another name by --name, or type: SEALPY_HOME={owner} sealpy lab down --name "
                f"{self.names.lab}",
            )

    def unplug(self, machine: str) -> None:
        """Remove a machine's cable, when it has one."""
        link = self.names.link(machine)
        if link in _links() and not succeeds("ip", "link", "delete", link) and link in _links():
            run("ip", "link", "delete", link)  # it did not go away by itself, with the namespace at its other end

    def machines(self) -> set[str]:
        """Give the machines that have a cable."""
        return {machine for link in _links() if (machine := self.names.machine_of_link(link))}

    def take_down(self) -> None:
        """Remove the bridge and its rules, when they are there."""
        while self._has_passage():
            run("iptables", "--wait", "--delete", *_passage(self.names.bridge))
        if self.names.bridge in _links():
            run("ip", "link", "delete", self.names.bridge)
        if self._has_table():
            run("nft", "delete", "table", "inet", self.names.table)

    def leftovers(self) -> list[str]:
        """Give what is there of this lab's wire."""
        found = [f"link {link}" for link in _links() if link == self.names.bridge or self.names.machine_of_link(link)]
        found += [f"iptables rule {' '.join(_passage(self.names.bridge))}"] if self._has_passage() else []
        return found + ([f"nftables table inet {self.names.table}"] if self._has_table() else [])

    def _has_passage(self) -> bool:
        return bool(which("iptables")) and succeeds("iptables", "--wait", "--check", *_passage(self.names.bridge))

    def _has_table(self) -> bool:
        return succeeds("nft", "list", "table", "inet", self.names.table)


def _rules(table: str, bridge: str) -> str:
    """Write the rule as a file of nft that replaces what stands."""
    return (
        f"table inet {table}\n"
        f"delete table inet {table}\n"
        f"table inet {table} {{\n"
        "  chain forward {\n"
        "    type filter hook forward priority -300; policy accept;\n"
        f'    iifname "{bridge}" oifname != "{bridge}" drop\n'
        f'    oifname "{bridge}" iifname != "{bridge}" drop\n'
        "  }\n"
        "}\n"
    )


def _passage(bridge: str) -> tuple[str, ...]:
    """Give the rule that lets machines of one bridge talk to each other where frames on bridges pass iptables too."""
    return ("FORWARD", "--in-interface", bridge, "--out-interface", bridge, "--jump", "ACCEPT")


def _forward_is_closed() -> bool:
    """Tell whether this computer drops what it forwards, as Docker makes it do; elsewhere no rule of ours is needed."""
    return bool(which("iptables")) and run("iptables", "--wait", "--list-rules", "FORWARD").startswith(
        "-P FORWARD DROP"
    )


def _links() -> dict[str, str]:
    """Map the links of this computer to their aliases."""
    return {link["ifname"]: link.get("ifalias", "") for link in _ip("link", "show")}


def _ip(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("ip", "-json", *words) or "[]")
    return [entry for entry in found if entry]
