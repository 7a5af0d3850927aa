"""What the fields of a resource say together: its kind, and names of images that are put together from several."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sealpy.image.finding import likeness
from sealpy.image.finding.documents import entries, is_mapping, scalar, text_at
from sealpy.image.finding.rules import fields_of, filled
from sealpy.image.finding.ways import Fields, Trail, follow

if TYPE_CHECKING:
    import yaml

__all__ = ["Composed", "Resource", "Text", "composed", "name_of", "resource_of"]

_OWN_GROUPS = frozenset({
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps",
    "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io",
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "extensions", "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io",
    "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resource:
    """Say within which resource a thing stands; without `kind` it is within none."""

    kind: str = ""
    group: str = ""
    fields: Fields | None = None
    trail: Trail = None
    within_custom: bool = False  # such as a pod that a template of another resource holds

    @property
    def is_template(self) -> bool:
        """Tell whether its texts may be filled in later, by the one whose resource it is or stands in."""
        return self.within_custom or bool(self.kind and not self.is_own)

    @property
    def full(self) -> str:
        """Give the kind as the table of rules names it, such as `Deployment` or `CephCluster.ceph.rook.io`."""
        return f"{self.kind}.{self.group}" if self.group and not self.is_own else self.kind

    @property
    def is_own(self) -> bool:
        """Tell whether it is one of Kubernetes' own, whose pods are all there is."""
        return self.group in _OWN_GROUPS


@dataclass(frozen=True, slots=True)
class Text:
    """Hold a text that may name an image, and where it stands."""

    node: yaml.Node
    text: str
    trail: Trail


@dataclass(frozen=True, slots=True)
class Composed:
    """Hold a name that was put together, where its first part stands, and the fields that are settled by it."""

    at: Text
    whole: tuple[yaml.Node, ...]

    @property
    def is_sure(self) -> bool:
        """Tell whether it can be nothing but an image: `image: a` beside `tag: b` may be anything."""
        return "/" in self.at.text and likeness.is_explicit(self.at.text)


def composed(template: str, fields: Fields, trail: Trail, resource: Resource) -> Composed | None:
    """Fill a template; None when a field is missing or not known yet, or when it gives no name."""
    nodes = {name: _field(name, fields, resource) for name in fields_of(template)}
    texts = {name: scalar(node) or "" for name, node in nodes.items()}
    if not all(texts.values()) or any(likeness.unresolved(text) for text in texts.values()):
        return None
    text = filled(template, texts)
    if likeness.parsed(text) is None:
        return None
    first, node = next((name, node) for name, node in nodes.items() if node is not None)
    own = tuple(one for name, one in nodes.items() if one is not None and not name.startswith("/"))
    return Composed(Text(node, text, _way_to(first, trail, resource)), own)


def _way_to(name: str, trail: Trail, resource: Resource) -> Trail:
    if name == ".":
        return trail
    if not name.startswith("/"):
        return (trail, name)
    return functools.reduce(lambda way, step: (way, step), name.removeprefix("/").split("."), resource.trail)


def resource_of(fields: Fields, trail: Trail, *, within: Resource) -> Resource:
    """Read kind and group of a mapping that has both fields; `within` is the resource that it stands in."""
    group, slash, _ = text_at(fields, "apiVersion").partition("/")
    return Resource(text_at(fields, "kind"), group if slash else "", fields, trail, within.is_template)


def name_of(fields: Fields) -> str:
    """Give `metadata.name`; "" when there is none."""
    metadata = fields.get("metadata")
    return text_at(entries(metadata), "name") if is_mapping(metadata) else ""


def _field(name: str, fields: Fields, resource: Resource) -> yaml.Node | None:
    if not name.startswith("/"):
        return fields.get(name)
    way = tuple(name.removeprefix("/").split("."))
    return next((node for node, _, _ in follow(resource.fields or {}, way, None)), None)
