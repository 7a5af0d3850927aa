"""The machines of a cluster, by role."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from sealpy.clusterfile import Cluster, HostEntry, Ssh
from sealpy.clusterfile.findings import refuse
from sealpy.connectors.target import Target
from sealpy.errors import ConfigError, Problem, problems_of
from sealpy.inventory.login import Logins

__all__ = ["MASTER", "NODE", "Host", "Inventory", "check_logins"]

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

    @classmethod
    def of(cls, cluster: Cluster, logins: Logins | None = None) -> Self:
        """Take the hosts of a Cluster, and see that there is what they are logged in by.

        Without `logins` nothing but the Cluster says how they are reached. Raises ClusterfileError with everything that
        is wrong: no control plane, keys that cannot be used, passwords that are not found.
        """
        hosts, problems = _logged_in(cluster.hosts, logins or Logins())
        if not any(entry.is_master for entry in cluster.hosts):
            place = cluster.place_of("hosts" if "hosts" in cluster.words else "nodes")
            hint = "give one host roles: [master]" if cluster.hosts else "add `hosts:`, one with roles: [master]"
            problems.insert(0, Problem("no host has the role 'master'", place, hint))
        refuse(_file_of(cluster), problems)
        masters = [host for host in hosts if host.is_master]
        return cls((*masters, *(host for host in hosts if not host.is_master)))

    def __iter__(self) -> Iterator[Host]:
        """Go through the hosts."""
        return iter(self.hosts)

    def __getitem__(self, address: str) -> Host:
        """Find a host by its address; raises KeyError."""
        for host in self.hosts:
            if host.address == address:
                return host
        raise KeyError(address)

    def without(self, addresses: Collection[str]) -> Inventory:
        """Give the inventory of the other hosts."""
        return Inventory(tuple(host for host in self.hosts if host.address not in addresses))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give the addresses of all hosts."""
        return tuple(host.address for host in self.hosts)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give every password of every login, for redaction."""
        targets = (target for host in self.hosts for target in (host.target, *host.target.jumps))
        found = (secret for t in targets for secret in (t.password, t.private_key_password, t.sudo_password) if secret)
        return tuple(dict.fromkeys(secret.reveal() for secret in found))

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


def _logged_in(entries: Iterable[HostEntry], logins: Logins) -> tuple[list[Host], list[Problem]]:
    """Give the hosts, and what is wrong with their logins: each login is looked at once, each problem told once."""
    hosts: list[Host] = []
    problems: dict[Problem, None] = {}
    wrong: set[Ssh] = set()
    for entry in entries:
        if entry.ssh in wrong:
            continue
        try:
            hosts += _hosts(entry, logins)
        except ConfigError as error:
            wrong.add(entry.ssh)
            problems |= dict.fromkeys(problems_of(error))
    return hosts, list(problems)


def check_logins(cluster: Cluster, logins: Logins) -> None:
    """Raise one ClusterfileError with everything that is wrong with the logins of a Cluster, whatever its hosts are."""
    _, problems = _logged_in(cluster.hosts, logins)
    refuse(_file_of(cluster), problems)


def _file_of(cluster: Cluster) -> str:
    return str(cluster.place.file) if cluster.place else "Clusterfile"


def _hosts(entry: HostEntry, logins: Logins) -> Iterator[Host]:
    roles = tuple(dict.fromkeys(Host.role(word) for word in entry.roles))
    for target in logins.of(entry.ips, entry.ssh):
        yield Host(target=target, roles=roles, env=entry.env, labels=entry.labels, taints=entry.taints)
