"""The machines of a cluster, by role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sealpy.connectors.target import Target

__all__ = ["MASTER", "NODE", "Host", "Inventory"]

MASTER = "master"
NODE = "node"
_ALIASES = {"control-plane": MASTER, "worker": NODE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Describe one machine: how it is reached, what it is for, what its node will carry."""

    target: Target
    roles: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Give the IP address, which names the host everywhere."""
        return self.target.address

    @property
    def is_master(self) -> bool:
        """Tell whether this host is to carry a control plane."""
        return MASTER in self.roles

    @property
    def is_worker(self) -> bool:
        """Tell whether this host joins as a worker only."""
        return NODE in self.roles and not self.is_master

    @staticmethod
    def role(word: str) -> str:
        """Bring a role word to the one form that is used inside: `control-plane` is `master`, `worker` is `node`."""
        return _ALIASES.get(word, word)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Hold the hosts of a cluster in the order they were written, control planes first."""

    hosts: tuple[Host, ...]

    def __iter__(self) -> Iterator[Host]:
        """Go through the hosts."""
        return iter(self.hosts)

    def __getitem__(self, address: str) -> Host:
        """Find a host by its address; raises KeyError."""
        for host in self.hosts:
            if host.address == address:
                return host
        raise KeyError(address)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give the addresses of all hosts."""
        return tuple(host.address for host in self.hosts)

    @property
    def masters(self) -> tuple[str, ...]:
        """Give the addresses of the control-plane hosts."""
        return tuple(host.address for host in self.hosts if host.is_master)

    @property
    def workers(self) -> tuple[str, ...]:
        """Give the addresses of the worker hosts."""
        return tuple(host.address for host in self.hosts if host.is_worker)

    @property
    def leader(self) -> str:
        """Give the address of the first control-plane host."""
        return self.masters[0]
