"""Hosts that the command line adds to a cluster, or takes out of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sealpy.clusterfile import Clusterfile, HostEntry, Ssh, parse_hosts
from sealpy.disk import expanded
from sealpy.errors import ConfigError, Place

__all__ = ["check_roles", "login_of", "widened"]


def check_roles(clusterfile: Clusterfile, *, masters: str, nodes: str) -> tuple[str, ...]:
    """Give the addresses in both lists; refuse a worker among the control planes: somebody has mixed them up."""
    every = parse_hosts(",".join(filter(None, (masters, nodes))))
    known = {ip for entry in clusterfile.cluster.hosts for ip in entry.ips}
    planes = {ip for entry in clusterfile.cluster.hosts for ip in entry.ips if entry.is_master}
    for option, wrong, what in (
        ("--masters", [ip for ip in parse_hosts(masters) if ip in known - planes], "a worker"),
        ("--nodes", [ip for ip in parse_hosts(nodes) if ip in planes], "a control plane"),
    ):
        if wrong:
            raise ConfigError(f"{option}: {wrong[0]} is {what}", hint="look at the addresses again")
    return every


def login_of(clusterfile: Clusterfile, *, user: str, port: int, private_key: Path | None, key_password: str) -> Ssh:
    """Give the login of the cluster, with what the options say put over it."""
    ssh = clusterfile.cluster.ssh
    return replace(
        ssh,
        user=user or ssh.user,
        port=port or ssh.port,
        private_key=str(expanded(private_key).absolute()) if private_key else ssh.private_key,
        key_place=Place("--pk") if private_key else ssh.key_place,
        private_key_password=key_password or ssh.private_key_password,
    )


def widened(clusterfile: Clusterfile, *, masters: str, nodes: str, ssh: Ssh, env: Iterable[str] = ()) -> Clusterfile:
    """Give the Clusterfile with more hosts, all reached alike; those it names already are passed over.

    `env` is added to that of the cluster. Raises ConfigError when no host is new.
    """
    every = parse_hosts(",".join(filter(None, (masters, nodes))))  # no host may stand in both
    known = {ip for entry in clusterfile.cluster.hosts for ip in entry.ips}
    entries = [
        entry
        for entry in (_new("master", parse_hosts(masters), known, ssh), _new("node", parse_hosts(nodes), known, ssh))
        if entry.ips
    ]
    if not entries:
        raise ConfigError(
            f"{', '.join(every) or 'no host'}: nothing to add to cluster '{clusterfile.cluster.name}'",
            hint="name a host that it does not have: -m for control planes, -n for workers",
        )
    cluster = clusterfile.cluster
    given = {name: (equals, value) for name, equals, value in (pair.partition("=") for pair in env)}
    if "" in given:
        raise ConfigError("--env: '=' sets nothing", hint="write -e NAME=VALUE")
    kept = {name: value for name, value in cluster.env.items() if name not in given}
    values = {name: value for name, (equals, value) in given.items() if equals}
    names = (*(name for name in cluster.env_from if name not in given), *(name for name in given if name not in values))
    places = {**cluster.env_places, **dict.fromkeys(given, Place("--env"))}
    hosts = (*cluster.hosts, *entries)
    cluster = replace(cluster, hosts=hosts, env={**kept, **values}, env_from=names, env_places=places)
    return replace(clusterfile, cluster=cluster)


def _new(role: str, wanted: Sequence[str], known: set[str], ssh: Ssh) -> HostEntry:
    return HostEntry(ips=tuple(ip for ip in wanted if ip not in known), roles=(role,), ssh=ssh)
