"""Give nodes the labels, roles and taints that their hosts should carry."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from sealpy.clusterfile import HostEntry
from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import KubeError
from sealpy.inventory import Host
from sealpy.kube import Node, NodeTaint
from sealpy.sdk import Call, Steps

__all__ = ["LabelNodes", "parse_taint", "wanted_labels", "wanted_taints"]

_ROLE = "node-role.kubernetes.io/"
_ROLES = {"master": ("control-plane", "master"), "node": ("worker", "node")}


class LabelNodes(Phase[Context]):
    """Set roles, labels and taints."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader, which is asked to change the nodes."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Change each node that differs from its host, and nothing else of it."""
        living = ctx.is_node(host) or not ctx.rehearsal
        nodes = {node.address: node for node in ctx.kube.open().nodes()} if living else {}
        for entry in ctx.inventory:
            if not (entry.is_master or entry.is_worker):
                continue
            node = nodes.get(entry.address)
            before = ctx.before.get(entry.address)
            labels = {**_obsolete(entry, before, node), **_missing(wanted_labels(entry), node)}
            taints = wanted_taints(entry, node.taints if node else (), obsolete=_obsolete_taints(entry, before))
            if labels or taints is not None:
                title = f"label {node.name if node else entry.address}"
                yield Call(title, functools.partial(_patch, ctx, node, labels, taints))


def _patch(
    ctx: Context, node: Node | None, labels: Mapping[str, str | None], taints: Sequence[NodeTaint] | None
) -> None:
    if node is None:
        raise KubeError("a host is no node of the cluster", hint="run the same command again: it joins it")
    ctx.kube.open().patch_node(node.name, labels=labels, taints=taints)


def _missing(wanted: Mapping[str, str], node: Node | None) -> dict[str, str]:
    there = node.labels if node else {}
    return {key: value for key, value in wanted.items() if there.get(key) != value}


def wanted_labels(host: Host | HostEntry) -> dict[str, str]:
    """Give the labels of a host's node: its own, and one for each role under both its old and its new name."""
    roles = dict.fromkeys(Host.role(word) for word in host.roles)
    names = (name for role in roles for name in _ROLES.get(role, (role,)))
    return {**{f"{_ROLE}{name}": "" for name in names}, **host.labels}


def _obsolete(host: Host, before: HostEntry | None, node: Node | None) -> dict[str, str | None]:
    """Give the labels that the file gave this host once and gives it no more; one that was changed since stays."""
    if before is None or node is None:
        return {}
    wanted = wanted_labels(host)
    return {
        key: None for key, value in wanted_labels(before).items() if key not in wanted and node.labels.get(key) == value
    }


def _obsolete_taints(host: Host, before: HostEntry | None) -> tuple[NodeTaint, ...]:
    """Give the taints that the file gave this host once and gives it no more."""
    given = {parse_taint(text) for text in host.taints if not text.endswith("-")}
    once = (parse_taint(text) for text in (before.taints if before else ()) if not text.endswith("-"))
    return tuple(taint for taint in once if taint not in given)


def wanted_taints(
    host: Host, there: Sequence[NodeTaint], *, obsolete: Sequence[NodeTaint] = ()
) -> tuple[NodeTaint, ...] | None:
    """Give all taints after adding and removing the host's (sealer.md §2.5); None when nothing changes.

    `obsolete` ones go where they are there as they were given.
    """
    result = {(taint.key, taint.effect): taint for taint in there if taint not in obsolete}
    for text in host.taints:
        if text.endswith("-"):
            key, _, effect = text[:-1].partition(":")
            name = key.partition("=")[0]
            result = {at: taint for at, taint in result.items() if at[0] != name or effect not in {"", at[1]}}
        else:
            taint = parse_taint(text)
            result[taint.key, taint.effect] = taint
    return None if list(result.values()) == list(there) else tuple(result.values())


def parse_taint(text: str) -> NodeTaint:
    """Read `key=value:Effect`, `key:Effect` or `key=:Effect`."""
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return NodeTaint(key, value, effect)
