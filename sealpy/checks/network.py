"""Addresses, routes, ranges, ports: what can be known of the network without sending anything."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from itertools import combinations, product

from sealpy.checks.model import Finding, Stage, Subject, check

__all__ = ["CHECKS", "MASTER_PORTS", "NODE_PORTS"]

MASTER_PORTS = (6443, 10257, 10259)
_ETCD_HEALTH = 2381  # asked on the host itself
NODE_PORTS = (10250, 10248, 10249, 10256)
_OWN = ("cni", "flannel", "cali", "vxlan.calico", "tunl", "cilium", "kube-", "veth", "docker", "nodelocaldns")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@check("default-route", reason="the kubelet and kube-proxy choose their address by it")
def _default_route(subject: Subject) -> Iterator[Finding]:
    if not subject.facts.default_route:
        yield Finding("no default route: the kubelet cannot choose an address", "ip route add default via …")


@check("address", reason="etcd and the API server listen on the address of the host", stage=Stage.UNTOUCHED)
def _address(subject: Subject) -> Iterator[Finding]:
    own = [ipaddress.ip_interface(text) for _, text in subject.facts.interfaces]
    address = ipaddress.ip_address(subject.host.address)
    there = any(address == one.ip or (one.is_loopback and address in one.network) for one in own)
    if own and not there:
        shown = ", ".join(str(one.ip) for one in own if not one.is_loopback and not one.is_link_local)
        yield Finding(f"has no interface with its address {address}; it has {shown}", "name it by one of these")


@check("address-family", reason="a cluster has addresses of one family, or of two everywhere", stage=Stage.BEFORE_NODE)
def _family(subject: Subject) -> Iterator[Finding]:
    version = ipaddress.ip_address(subject.host.address).version
    for what, ranges in (("pods", subject.needs.pods), ("services", subject.needs.services)):
        families = {network.version for network in _networks(ranges)}
        if families and version not in families:
            yield Finding(
                f"its address is IPv{version}, the range of {what} {', '.join(ranges)} is not",
                f"give a range of this family too: {'PodCIDR' if what == 'pods' else 'SvcCIDR'} under `env`",
            )


@check("ranges", reason="what lies in two ranges is reached in one of them only", stage=Stage.BEFORE_NODE)
def _ranges(subject: Subject) -> Iterator[Finding]:
    """Look whether pods and services collide with each other, or with what this host reaches already."""
    ranges = [
        *((f"range of pods {text}", network) for text, network in _named(subject.needs.pods)),
        *((f"range of services {text}", network) for text, network in _named(subject.needs.services)),
    ]
    hint = "choose others: PodCIDR and SvcCIDR under `env`"
    for (one, first), (other, second) in combinations(ranges, 2):
        if _overlap(first, second):
            yield Finding(f"{one} and {other} overlap", hint)
    taken = [(f"route to {text} by {device}", net) for text, device, net in _routes(subject.facts.ways)]
    taken += [(f"host {address}", ipaddress.ip_network(address)) for address in subject.everyone]
    for (one, first), (other, second) in product(ranges, taken):
        if _overlap(first, second):
            yield Finding(f"{one} overlaps with {other}", hint)


@check("ports", reason="components of Kubernetes listen there", stage=Stage.UNTOUCHED)
def _ports(subject: Subject) -> Iterator[Finding]:
    etcd = (*subject.needs.etcd, _ETCD_HEALTH) if subject.needs.etcd else ()
    wanted = (*MASTER_PORTS, *etcd, *NODE_PORTS) if subject.host.is_master else NODE_PORTS
    for port in wanted:
        if port in subject.facts.ports:
            yield Finding(f"port {port} is in use", f"ss -lntp 'sport = :{port}' names the process")


@check("registry-port", reason="the registry of the cluster listens there", stage=Stage.UNTOUCHED)
def _registry_port(subject: Subject) -> Iterator[Finding]:
    port = subject.needs.registry_port
    if subject.host.address in subject.needs.registry_hosts and port in subject.facts.ports:
        yield Finding(f"port {port} of the registry is in use", "end what listens, or give `spec.registry` a `port`")


@check("firewall", severity="warning", reason="it may drop what nodes say to each other", stage=Stage.BEFORE_NODE)
def _firewall(subject: Subject) -> Iterator[Finding]:
    for unit in sorted(subject.facts.active & {"firewalld", "ufw"}):
        yield Finding(f"{unit} is active", f"open the ports of Kubernetes and the ranges of pods, or stop {unit}")


def _named(ranges: Iterable[str]) -> Iterator[tuple[str, Network]]:
    return ((str(network), network) for network in _networks(ranges))


def _networks(ranges: Iterable[str]) -> list[Network]:
    return [ipaddress.ip_network(text, strict=False) for text in ranges]


def _routes(ways: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, Network]]:
    """Yield the routes that are not of a network of pods."""
    for text, device in ways:
        if text != "default" and not device.startswith(_OWN):
            network = ipaddress.ip_network(text, strict=False)
            if not (network.is_link_local or network.is_multicast):
                yield text, device, network


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


CHECKS = (
    _default_route,
    _address,
    _family,
    _ranges,
    _ports,
    _registry_port,
    _firewall,
)
