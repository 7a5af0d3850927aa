"""Walk the documents of a file and collect the images that Kubernetes, or an operator, would pull for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from sealpy.image.finding import likeness
from sealpy.image.finding.documents import (
    DEEPEST,
    NotYamlError,
    documents,
    entries,
    is_mapping,
    is_sequence,
    line_of,
    scalar,
    text_at,
)
from sealpy.image.finding.fields import Composed, Resource, Text, composed, name_of, resource_of
from sealpy.image.finding.rules import PathRule, Rules
from sealpy.image.finding.ways import Fields, Trail, follow, mappings, written

if TYPE_CHECKING:
    import yaml

__all__ = ["Sight", "read_document"]

Sort = Literal["named", "wrong", "doubt"]
"""`named` is an image; `wrong` stands where an image must, and is none; `doubt` looks like one and was not taken."""

Remedy = tuple[Literal["env", "args", "data"], str] | None
"""What a rule would have to name, so that a text is taken."""

_SCHEMA = "CustomResourceDefinition"
_TELLING = frozenset({  # the fields that `_mapping` looks into, so that it need not compare each name with each word
    "annotations", "args", "command", "containers", "data", "env", "ephemeralContainers", "initContainers",
    "stringData", "volumes",
})  # fmt: skip
_LATER = "an image that is decided while the cluster runs"
_MOST_WITHIN = 3  # ConfigMaps that hold ConfigMaps as text


@dataclass(frozen=True, slots=True)
class Sight:
    """Hold one text of a document, where it stands, and what it was taken for.

    `rule` says by which rule an image was found, or what kind of place a doubt stands in; `remedy` what takes it.
    """

    sort: Sort
    text: str
    line: int
    path: str
    rule: str
    remedy: str = ""


def read_document(document: yaml.Node, rules: Rules) -> list[Sight]:
    """Collect what a document holds, in the order of its lines."""
    reader = _Reader(rules)
    reader.walk(document, None, Resource(), 0)
    return sorted(reader.sights, key=lambda sight: sight.line)


class _Reader:
    def __init__(self, rules: Rules, *, within: int = 0) -> None:
        self._rules = rules
        self._within = within  # so many texts that stand in each other
        self._walked: set[int] = set()  # an alias is the same node again, perhaps its own parent
        self._done: set[int] = set()  # nodes that were decided upon
        self._named: set[tuple[int, str]] = set()
        self.sights: list[Sight] = []

    def walk(self, node: yaml.Node, trail: Trail, resource: Resource, depth: int) -> None:
        if depth > DEEPEST or id(node) in self._walked:
            return
        if is_sequence(node):
            self._walked.add(id(node))
            for index, item in enumerate(node.value):
                self.walk(item, (trail, index), resource, depth + 1)
        elif is_mapping(node):
            self._walked.add(id(node))
            fields = entries(node)
            if "kind" in fields and "apiVersion" in fields:
                resource = resource_of(fields, trail, within=resource)
                if resource.kind == _SCHEMA:
                    return  # it describes fields and fills none
                self._by_table(resource)
            self._mapping(fields, trail, resource)
            for key, value in fields.items():
                if not isinstance(value.value, str):
                    self.walk(value, (trail, key), resource, depth + 1)

    # ---- what any mapping may hold

    def _mapping(self, fields: Fields, trail: Trail, resource: Resource) -> None:
        for key in [one for one in fields if one in _TELLING]:
            node = fields[key]
            match key:
                case "containers" | "initContainers" | "ephemeralContainers":
                    self._containers(node, (trail, key), resource)
                case "volumes":
                    self._volumes(node, (trail, key))
                case "env":
                    self._env(node, (trail, key))
                case "args" | "command":
                    self._arguments(node, (trail, key))
                case "annotations" if trail and trail[1] == "metadata":
                    self._texts(node, (trail, key), "annotation")
                case "data" | "stringData" if resource.fields is fields and resource.kind in {"ConfigMap", "Secret"}:
                    self._configuration(node, (trail, key), resource)
        if resource.kind and not resource.is_own:
            self._custom(fields, trail, resource)

    def _containers(self, node: yaml.Node, trail: Trail, resource: Resource) -> None:
        for index, fields in mappings(node):
            image = fields.get("image")
            text = scalar(image)
            if image is None or not text or id(image) in self._done:
                continue
            at = Text(image, text, ((trail, index), "image"))
            if text in self._rules.placeholders:
                self._doubt(at, "a placeholder that something else fills in")
            elif likeness.unresolved(text) and resource.is_template:
                self._doubt(at, _LATER)
            else:
                self._take(at, "pod")

    def _volumes(self, node: yaml.Node, trail: Trail) -> None:
        for index, fields in mappings(node):
            image = fields.get("image")
            if is_mapping(image) and (text := text_at(inner := entries(image), "reference")):
                self._take(Text(inner["reference"], text, (((trail, index), "image"), "reference")), "image volume")

    def _env(self, node: yaml.Node, trail: Trail) -> None:
        for index, fields in mappings(node):
            name, value = text_at(fields, "name"), fields.get("value")
            text = scalar(value)
            if value is None or not name or not text or id(value) in self._done:
                continue
            at = Text(value, text, ((trail, index), "value"))
            if self._rules.names_env(name):
                self._take_all(at, f"env {name}", name=name)
            else:
                self._suspect(at, f"env {name}", beside=name, remedy=("env", name))

    def _arguments(self, node: yaml.Node, trail: Trail) -> None:
        if not is_sequence(node):
            return
        flag = ""
        for index, item in enumerate(node.value):
            text = scalar(item) or ""
            before, equals, value = text.partition("=")
            is_flag = text.startswith("-") and "\n" not in before and " " not in before
            if is_flag and not equals:
                flag = text
                continue
            name, value = (before, value) if is_flag else (flag, text)
            flag = ""
            at = Text(item, value, (trail, index))
            if value and name and self._rules.names_argument(name):
                self._take_all(at, f"argument {name}", name=name)
            elif value:
                remedy: Remedy = ("args", name) if name else None
                self._suspect(at, f"argument {name}".strip(), beside=name, remedy=remedy)

    def _configuration(self, node: yaml.Node, trail: Trail, resource: Resource) -> None:
        if not is_mapping(node) or (resource.kind == "Secret" and trail and trail[1] == "data"):
            return  # the data of a Secret is base64
        for key, value in entries(node).items():
            text = scalar(value)
            if not text or id(value) in self._done:
                continue
            at = Text(value, text, (trail, key))
            if self._rules.names_data(key):
                self._take_all(at, f"data {key}", name=key)
            else:
                what = f"{resource.kind} data {key}"
                self._suspect(at, what, beside=key, remedy=("data", key), told=self._resources_in(at, what))

    def _resources_in(self, at: Text, what: str) -> Collection[str]:
        """Read resources that stand in a text, such as a pod that an operator makes of it; gives the images told."""
        if "containers" not in at.text or "apiVersion" not in at.text or self._within >= _MOST_WITHIN:
            return ()
        inner = _Reader(self._rules, within=self._within + 1)
        try:
            for _, document in documents(at.text.encode()):
                inner.walk(document, at.trail, Resource(within_custom=True), 0)
        except NotYamlError:
            return ()  # a template: what looks like an image in it is told
        is_block, first = getattr(at.node, "style", None) == "|", line_of(at.node)
        for sight in inner.sights:
            line = first + sight.line if is_block else first
            self.sights.append(replace(sight, line=line, rule=f"{sight.rule}, in {what}"))
        return {sight.text for sight in inner.sights}

    def _texts(self, node: yaml.Node, trail: Trail, what: str) -> None:
        if is_mapping(node):
            for key, value in entries(node).items():
                if key != "kubectl.kubernetes.io/last-applied-configuration" and (text := scalar(value)):
                    self._suspect(Text(value, text, (trail, key)), f"{what} {key}", beside=key)

    # ---- resources that are not Kubernetes' own

    def _custom(self, fields: Fields, trail: Trail, resource: Resource) -> None:
        rule = f"field of {resource.full}"
        for template in self._rules.custom_parts:
            made = composed(template, fields, trail, resource)
            if made and id(made.at.node) not in self._done and made.is_sure:
                self._name(made, rule)
                break
        for key, node in fields.items():
            text = scalar(node)
            if not text or id(node) in self._done:
                continue
            if self._rules.is_custom_field.fullmatch(key):
                self._custom_field(Text(node, text, (trail, key)), rule)
            else:
                self._suspect(Text(node, text, (trail, key)), rule)

    def _custom_field(self, at: Text, rule: str) -> None:
        if likeness.unresolved(at.text) or at.text in self._rules.placeholders:
            self._doubt(at, _LATER)
        elif likeness.parsed(at.text) and likeness.is_explicit(at.text):
            self._take(at, rule)
        elif likeness.parsed(at.text) and "/" in at.text:
            self._doubt(at, f"{rule}, without tag or digest")

    def _by_table(self, resource: Resource) -> None:
        top = resource.fields or {}
        for rule in self._rules.resources.get(resource.full, ()):
            if not fnmatchcase(name_of(top), rule.name):
                continue
            for way in rule.never:
                self._done |= {id(node) for node, _, _ in follow(top, way, resource.trail)}
            for node, fields, trail in follow(top, rule.at, resource.trail):
                self._apply(rule, node, fields, trail, resource)

    def _apply(self, rule: PathRule, node: yaml.Node, fields: Fields, trail: Trail, resource: Resource) -> None:
        for template in rule.images:
            made = composed(template, {**fields, ".": node}, trail, resource)
            if made is None or made.at.text.rpartition(":")[2] in self._rules.placeholders:
                continue
            if template == "{image}" or "/" in made.at.text or likeness.is_explicit(made.at.text):
                self._name(made, f"rule for {resource.full}")
                return
        known = likeness.unresolved(text_at(fields, "image")) or resource.full in self._rules.listed
        if rule.chosen and not known:
            what = f"the operator of {resource.full} chooses the image of {rule.chosen}"
            self._see("doubt", Text(node, "", trail), what, remedy=f"listed: [{resource.full}]")

    # ---- what is seen

    def _name(self, made: Composed, rule: str) -> None:
        self._done |= {id(node) for node in made.whole}
        if (id(made.at.node), made.at.text) not in self._named:
            self._named.add((id(made.at.node), made.at.text))
            self._see("named", made.at, rule)

    def _take(self, at: Text, rule: str) -> None:
        self._done.add(id(at.node))
        self._see("named" if likeness.parsed(at.text) else "wrong", at, rule)

    def _take_all(self, at: Text, rule: str, *, name: str) -> None:
        """Take every image that a text holds: one, or a list of any form."""
        if likeness.unresolved(at.text):
            self._doubt(at, f"{rule}, {_LATER}")
            return
        self._done.add(id(at.node))
        for one in likeness.spotted(at.text, beside=name) or ([at.text] if likeness.parsed(at.text) else []):
            self._see("named", replace(at, text=one), rule)

    def _suspect(
        self, at: Text, what: str, *, beside: str = "", remedy: Remedy = None, told: Collection[str] = ()
    ) -> None:
        for one in likeness.spotted(at.text, beside=beside):
            if one not in told:
                self._doubt(replace(at, text=one), what, remedy=self._rules.remedy(*remedy) if remedy else "")

    def _doubt(self, at: Text, what: str, *, remedy: str = "") -> None:
        self._done.add(id(at.node))
        self._see("doubt", at, what, remedy=remedy)

    def _see(self, sort: Sort, at: Text, rule: str, *, remedy: str = "") -> None:
        line = line_of(at.node, part=at.text)
        self.sights.append(Sight(sort, at.text, line, written(at.trail), rule, remedy))
