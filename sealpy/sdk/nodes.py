"""Ask the cluster for its nodes, in one exchange with the leader."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from sealpy.sdk.data import address_of
from sealpy.sdk.plugin import PluginContext, PluginFailure
from sealpy.sdk.steps import Ask, On, Result, Step

__all__ = ["ADMIN_CONF", "KUBECTL", "Node", "Taint", "ask_nodes", "node_of"]

ADMIN_CONF = "/etc/kubernetes/admin.conf"
KUBECTL = ("kubectl", "--kubeconfig", ADMIN_CONF)
# One line for each node: name, addresses, labels, taints; none of them can hold a blank or a tab.
_NODES = (
    "-o=go-template={{range .items}}{{.metadata.name}}"
    '{{"\\t"}}{{range .status.addresses}}{{.address}} {{end}}'
    '{{"\\t"}}{{range $key, $value := .metadata.labels}}{{$key}}={{$value}} {{end}}'
    '{{"\\t"}}{{range .spec.taints}}{{.key}}={{with .value}}{{.}}{{end}}:{{.effect}} {{end}}{{"\\n"}}{{end}}'
)


@dataclass(frozen=True, slots=True)
class Taint:
    """Keep pods off a node; of one key and effect a node has one."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, slots=True)
class Node:
    """Be a host that has joined the cluster."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


def ask_nodes(context: PluginContext) -> Generator[Step, Result, Mapping[str, Node]]:
    """Give the nodes by each of their addresses; called with `yield from`, as it asks by a step.

    In a rehearsal before there is a cluster every host of the call is a node, without labels and taints. Raises
    PluginFailure when the API server does not answer.
    """
    answer = yield On(context.leader, Ask("which nodes are there?", *KUBECTL, "get", "nodes", _NODES))
    if not answer.ok:
        if not context.rehearsal:
            raise PluginFailure(f"the API server does not tell its nodes: {answer.reason}")
        return {host.address: Node(host.name or host.address) for host in context.hosts}
    nodes: dict[str, Node] = {}
    for line in answer.stdout.decode().splitlines():
        name, addresses, labels, taints = line.split("\t")
        pairs = (label.partition("=") for label in labels.split())
        node = Node(name, {key: value for key, _, value in pairs}, tuple(map(_taint, taints.split())))
        nodes.update((address_of(address), node) for address in addresses.split())
    return nodes


def node_of(nodes: Mapping[str, Node], address: str) -> Node:
    """Give the node that a host is; raises PluginFailure when it is none."""
    if address not in nodes:
        raise PluginFailure(f"host {address} is no node of the cluster")
    return nodes[address]


def _taint(text: str) -> Taint:
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return Taint(key, value, effect)
