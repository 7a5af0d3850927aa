"""The JSON Schema of a Clusterfile, for editors: each document by its kind, with the text of every field.

It takes what the reader takes: a text may be typed as a number, and a key without a value is as good as not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sealpy.clusterfile.kubeadm import shape_of, versions_of
from sealpy.clusterfile.models import DOCUMENTS

__all__ = ["KINDS", "document_schema", "schema"]

KINDS = (*DOCUMENTS, *versions_of())
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPED = {
    "string": ["string", "number", "boolean"],
    "integer": ["integer", "string"],
    "boolean": ["boolean", "string"],
}
_NOT_WRITTEN = ("title", "default")
_KUBEADM = "Settings for kubeadm, laid over those of the image."


def schema() -> dict[str, Any]:
    """Give the schema that every document of a Clusterfile is valid by."""
    definitions: dict[str, Any] = {}
    branches = []
    for kind in KINDS:
        document = document_schema(kind)
        definitions |= document.pop("$defs", {})
        definitions[kind] = document
        branches.append(
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
        )
    return {
        "$schema": _DIALECT,
        "title": "Clusterfile",
        "description": "A document of a Clusterfile.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(KINDS), "description": "What the document is."}},
        "allOf": branches,
        "$defs": definitions,
    }


def document_schema(kind: str) -> dict[str, Any]:
    """Give the schema of the documents of one kind."""
    if kind not in DOCUMENTS:
        return _kubeadm(kind)
    found: dict[str, Any] = DOCUMENTS[kind].model_json_schema()
    for definition in (*found.get("$defs", {}).values(), found):
        _loosen(definition)
    found["properties"]["kind"] = {"const": kind, "description": "What the document is."}
    return found


# ---- what the reader takes beside what a field is


def _loosen(schema: dict[str, Any]) -> None:
    """Let a field of an object be typed as the reader takes it."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        schema["properties"][name] = _loosened(field, optional=name not in required)
    schema.pop("title", None)


def _loosened(field: Mapping[str, Any], *, optional: bool) -> dict[str, Any]:
    result = {key: value for key, value in field.items() if key not in _NOT_WRITTEN}
    if field.get("default") not in ("", None, [], {}, 0, 0.0) and not isinstance(field.get("default"), dict):
        result["default"] = field["default"]
    if "items" in result:
        result["items"] = _loosened(result["items"], optional=False)
    if isinstance(result.get("additionalProperties"), dict):
        result["additionalProperties"] = _loosened(result["additionalProperties"], optional=True)
    if "anyOf" in result:
        result["anyOf"] = [_loosened(choice, optional=False) for choice in result["anyOf"]]
        result["anyOf"] += [{"type": "null"}] * (optional and {"type": "null"} not in result["anyOf"])
    if kind := result.get("type"):
        result["type"] = _types(kind, optional=optional)
    if optional and "$ref" in result:
        result["anyOf"] = [{"$ref": result.pop("$ref")}, {"type": "null"}]
    if optional and "enum" in result:
        result["enum"] = [*result["enum"], None]
    return result


def _types(kind: str | list[str], *, optional: bool) -> object:
    found = kind if isinstance(kind, list) else _TYPED.get(kind, [kind])
    kinds = [*found, *(["null"] if optional and "null" not in found else [])]
    return kinds if len(kinds) > 1 else kinds[0]


# ---- documents for kubeadm


def _kubeadm(kind: str) -> dict[str, Any]:
    shape = shape_of(kind)
    fields = {name: _shaped(field) for name, field in shape.items()} if shape else {}
    return {
        "description": _KUBEADM,
        "type": "object",
        "properties": {
            "apiVersion": {"enum": list(versions_of()[kind]), "description": "Version that the fields are of."},
            "kind": {"const": kind, "description": "What the document is."},
            **fields,
        },
        **({"additionalProperties": False} if shape else {}),
    }


def _shaped(shape: Any) -> dict[str, Any]:
    text = {"type": _TYPED["string"]}
    match shape:
        case Mapping() if "*" in shape:
            return {"type": ["object", "null"], "additionalProperties": _shaped(shape["*"])}
        case Mapping():
            fields = {name: _shaped(field) for name, field in shape.items()}
            return {"type": ["object", "null"], "properties": fields, "additionalProperties": False}
        case [item]:
            return {"type": ["array", "null"], "items": _shaped(item)}
        case "arguments":
            pair = {"type": "object", "properties": {"name": text, "value": text}, "additionalProperties": False}
            return {"anyOf": [_shaped({"*": str}), {"type": "array", "items": pair}, {"type": "null"}]}
        case "anything":
            return {}
        case _:
            return {"type": _nullable({str: "string", int: "integer", bool: "boolean"}[shape])}


def _nullable(kind: str) -> list[str]:
    kinds: Iterable[str] = _TYPED.get(kind, [kind])
    return [*kinds, "null"]
