"""What can be seen of a Cluster that has mistakes: enough to check everything else that speaks of its hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from sealpy.clusterfile.cluster_shape import ClusterSpec, HostModel, MachinesModel
from sealpy.clusterfile.document import Document, Tree
from sealpy.clusterfile.hosts import parse_hosts
from sealpy.clusterfile.types import DEFAULT_NAME, Cluster, HostEntry
from sealpy.errors import ConfigError, Place, nearest

__all__ = ["JOINING", "image_place", "meant", "sketch"]

JOINING = frozenset({"master", "node", "control-plane", "worker"})  # the roles by which hosts join a cluster
_NO_ADDRESS = "an address that is missing"


def meant(word: str) -> str:
    """Give the role by which hosts join that a word is most like; empty when it is like none."""
    return nearest(word, JOINING)


def sketch(document: Document) -> Cluster | None:
    """Give name, image and hosts, as far as they can be read; None where no host could lead the others.

    An address that is none stays as it is written, and a word that is nearly a role or a field is taken for it: the
    Cluster itself tells these mistakes, and what names its hosts need not tell them again. There are no logins in it.
    """
    spec = _mapping(document.tree.get("spec"))
    hosts = tuple(_entries(spec))
    if not any(entry.is_master for entry in hosts):
        return None
    image = spec.get(_key(spec, "image", ClusterSpec))
    return Cluster(
        name=document.text_of("metadata", "name") or DEFAULT_NAME,
        image=image if isinstance(image, str) else "",
        hosts=hosts,
        place=document.place(),
    )


def image_place(document: Document) -> Place:
    """Give where the image stands, also when its key is mistyped."""
    return document.place(("spec", _key(_mapping(document.tree.get("spec")), "image", ClusterSpec)))


def _entries(spec: Mapping[str, Tree]) -> Iterator[HostEntry]:
    hosts = spec.get(_key(spec, "hosts", ClusterSpec))
    for entry in map(_mapping, hosts if isinstance(hosts, list) else ()):
        addresses, roles = (entry.get(_key(entry, key, HostModel)) for key in ("ips", "roles"))
        yield HostEntry(ips=_addresses(addresses), roles=_roles(roles))
    for role, key in (("master", "masters"), ("node", "nodes")):  # of the first generation
        if machines := _mapping(spec.get(key)):
            yield HostEntry(ips=_addresses(machines.get(_key(machines, "ipList", MachinesModel))), roles=(role,))


def _key(mapping: Mapping[str, Tree], key: str, model: type[BaseModel]) -> str:
    """Give the key under which a field stands: its own, or an unknown one that is most like it."""
    fields = {field.alias for field in model.model_fields.values()}
    return key if key in mapping else nearest(key, mapping.keys() - fields) or key


def _addresses(tree: Tree) -> tuple[str, ...]:
    return tuple(address for text in _texts(tree) for address in _expanded(text)) or (_NO_ADDRESS,)


def _expanded(text: str) -> tuple[str, ...]:
    try:
        return parse_hosts(text)
    except ConfigError:  # told by the field
        return (text,)


def _roles(tree: Tree) -> tuple[str, ...]:
    words = _texts(tree)
    return words if not JOINING.isdisjoint(words) else tuple(meant(word) or word for word in words)


def _texts(tree: Tree) -> tuple[str, ...]:
    """Give the texts of a list, or the one that stands where a list is expected."""
    return tuple(item for item in (tree if isinstance(tree, list) else [tree]) if isinstance(item, str))


def _mapping(tree: Tree) -> Mapping[str, Tree]:
    return tree if isinstance(tree, dict) else {}
