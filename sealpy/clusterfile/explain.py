"""What a field of a Clusterfile is for, out of the schema that editors use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealpy.clusterfile.findings import field_meant
from sealpy.clusterfile.schema import KINDS, document_schema
from sealpy.errors import ConfigError, did_you_mean, known_words

__all__ = ["Explanation", "FieldLine", "explain"]

_CLUSTER = "Cluster"
_HANDED_ON = "its fields are those of Kubernetes, to which they are handed on as they are"
_TOP = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_WORDS = {"object": "mapping", "array": "list", "string": "text", "number": "number", "integer": "whole number"}
_WORDS |= {"boolean": "true or false", "null": "nothing"}
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldLine:
    """Describe one field among others: its name, what it holds, whether it must be written, what it is for."""

    name: str
    holds: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Describe a field: where it stands, what it holds, what it is for, and the fields below it."""

    kind: str
    path: str
    holds: str
    text: str
    default: str = ""
    choices: tuple[str, ...] = ()
    fields: tuple[FieldLine, ...] = ()


def explain(field: str) -> Explanation:
    """Explain a field such as `hosts.ips`, `Cluster.spec.hosts[0].ips` or `Plugin.spec.action`, or a whole kind.

    Raises ConfigError with the nearest name.
    """
    kind, path = _target([part for part in re.sub(r"\[\d*\]", "", field).split(".") if part])
    root = document_schema(kind)
    found, walked = root, ""
    for part in path:
        fields = _fields(found, root)
        if part not in fields:
            where = f"{kind}.{walked}" if walked else kind
            hint = field_meant(part, tuple(fields)) or (known_words(fields) if fields else "it holds no fields")
            hint = hint if _inner(found, root).get("additionalProperties") is False or not fields else _HANDED_ON
            raise ConfigError(f"field '{field}': {where} has no '{part}'", hint=hint)
        found, walked = fields[part], f"{walked}.{part}".removeprefix(".")
    inner = _inner(found, root)
    required = inner.get("required", ())
    return Explanation(
        kind=kind,
        path=walked,
        holds=_holds(found, root),
        text=found.get("description") or inner.get("description", ""),
        default=_written(found["default"]) if "default" in found else "",
        choices=_choices(found),
        fields=tuple(
            FieldLine(name, _holds(below, root), name in required, below.get("description", ""))
            for name, below in _fields(found, root).items()
        ),
    )


def _target(parts: list[str]) -> tuple[str, list[str]]:
    """Tell kind and path; without a kind a field of the Cluster is meant, whose `spec` may be left out."""
    if not parts:
        return _CLUSTER, []
    first = parts[0]
    for kind in KINDS:
        if first.lower() == kind.lower():
            rest = parts[1:]
            fields = document_schema(kind).get("properties", {})
            return kind, rest if not rest or rest[0] in fields or "spec" not in fields else ["spec", *rest]
    if first[:1].isupper() and (near := did_you_mean(first, KINDS)):
        raise ConfigError(f"'{first}' is no kind of a Clusterfile", hint=near)
    return _CLUSTER, parts if first in _TOP else ["spec", *parts]


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a reference, and out of several forms take the first that holds fields, or else the first."""
    if "$ref" in schema:
        target: Schema = root["$defs"][str(schema["$ref"]).rpartition("/")[2]]
        return target
    if "anyOf" in schema:
        forms = [_resolved(form, root) for form in schema["anyOf"]]
        return next((form for form in forms if form.get("properties") or "items" in form), forms[0])
    return schema


def _inner(schema: Schema, root: Schema) -> Schema:
    """Give what a field holds; of a list what its items hold."""
    found = _resolved(schema, root)
    return _inner(found["items"], root) if "items" in found else found


def _fields(schema: Schema, root: Schema) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = _inner(schema, root).get("properties", {})
    return fields


def _holds(schema: Schema, root: Schema) -> str:
    found = _resolved(schema, root)
    if "items" in found:
        return f"list of {_plural(_holds(found['items'], root))}"
    if "const" in found or "enum" in found:
        return "text"
    kinds = found.get("type", "anything")
    kind = next((one for one in (kinds if isinstance(kinds, list) else [kinds]) if one != "null"), "null")
    if kind == "object" and isinstance(found.get("additionalProperties"), dict):
        return "mapping of names to values"
    return _WORDS.get(kind, kind)


def _plural(word: str) -> str:
    return {"text": "texts", "mapping": "mappings", "whole number": "whole numbers"}.get(word, word)


def _choices(schema: Schema) -> tuple[str, ...]:
    forms = schema.get("anyOf", [schema])
    return tuple(str(choice) for form in forms for choice in form.get("enum", ()) if choice not in {None, ""})


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
