"""Look at machines that no cluster is made of yet, and change nothing on them."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable

from sealpy.actions.session import Surroundings
from sealpy.connectors.reach import Ways
from sealpy.engine import Connections, Executor, Journal
from sealpy.errors import NotBegunError
from sealpy.inventory import Facts, Inventory, gather_facts

__all__ = ["about", "free_range", "look"]

_TITLE = "look at the machines"
_PODS = ("100.64.0.0/16", "172.20.0.0/16", "10.244.0.0/16", "192.168.128.0/17")
_SERVICES = ("10.96.0.0/16", "172.21.0.0/16", "10.97.0.0/16", "192.168.64.0/18")
_PODS_6, _SERVICES_6 = ("fd00:100:64::/56", "fd00:172:20::/56"), ("fd00:10:96::/112", "fd00:172:21::/112")
_RANGES = {("pods", 4): _PODS, ("services", 4): _SERVICES, ("pods", 6): _PODS_6, ("services", 6): _SERVICES_6}
_MIB, _GIB = 1 << 10, 1 << 20  # in KiB


def look(inventory: Inventory, surroundings: Surroundings, *, directory: str) -> dict[str, Facts]:
    """Give the facts of every host; raises NotBegunError that names each host that does not tell any.

    `directory` is where sealpy would keep its things on a host.
    """
    ways = Ways(known_hosts=surroundings.known_hosts, emit=surroundings.emit)
    connections = Connections(lambda address: ways.to(inventory[address].target))
    journal = Journal(None, run="look", action="look")

    with contextlib.closing(connections):
        executor = Executor(connections, emit=surroundings.emit, journal=journal, rehearsal=True)
        outcomes = executor.fan_out(_TITLE, inventory.addresses, lambda _: gather_facts(directory), at_once=32)
    if outcomes.errors:
        raise NotBegunError(_TITLE, outcomes.errors, hint="nothing was written; mend this and run it again")
    return {host: facts for host, facts in outcomes.values.items() if isinstance(facts, Facts)}


def about(facts: Facts) -> str:
    """Say on one line what a machine is."""
    free = max(facts.free_kib.values(), default=0)
    parts = (
        facts.name,
        f"{facts.os} {facts.os_version}".strip(),
        facts.arch,
        f"{facts.cpus} processors" if facts.cpus != 1 else "1 processor",
        f"{_size(facts.memory_kib)} of memory",
        f"{_size(free)} free" if free else "",
        "carries traces of a cluster" if facts.files or facts.marks else "",
    )
    return ", ".join(filter(None, parts))


def free_range(what: str, facts: Iterable[Facts], *, family: int) -> str:
    """Give a range for `pods` or `services` that no machine has an address in or a way to; "" when all are taken."""
    taken = [network for one in facts for network in _networks(one)]
    for candidate in _RANGES[what, family]:
        wanted = ipaddress.ip_network(candidate)
        if not any(network.version == wanted.version and network.overlaps(wanted) for network in taken):
            return candidate
    return ""


def _networks(facts: Facts) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    texts = [address for _, address in facts.interfaces] + [way for way, _ in facts.ways if way != "default"]
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):  # what is no range is in nobody's way
            found.append(ipaddress.ip_network(text, strict=False))
    return found


def _size(kib: int) -> str:
    return f"{round(kib / _GIB)} GiB" if kib >= _GIB else f"{round(kib / _MIB)} MiB"
