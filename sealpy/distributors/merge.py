"""Put new values into a file of YAML or JSON: what is not named stays as it was typed.

YAML is merged as it is written, not as what it means, so that `on`, `0123` and quotes come out as they went in; its
comments are lost. Mappings are merged key by key, anything else is replaced.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import yaml

from sealpy.clusterfile.document import is_endless, plain_mapping

__all__ = ["MergeError", "merged_json", "merged_secret", "merged_yaml"]

_MAP = "tag:yaml.org,2002:map"
_TEXT = "tag:yaml.org,2002:str"
_CACHED = 256  # one file merges alike for all hosts whose environment does not matter to it


class MergeError(Exception):
    """Tell why two texts cannot be merged; the caller adds whose they are."""


@functools.lru_cache(maxsize=_CACHED)
def merged_yaml(text: str, data: str) -> str:
    """Merge a mapping into every document of a YAML file; raises MergeError."""
    wanted = _one_mapping(data)
    documents = _documents(text)
    if not all(isinstance(document, yaml.MappingNode) for document in documents):
        raise MergeError("the file holds documents that are no mappings")
    return _serialized([_merged(document, wanted) for document in documents] or [wanted])


@functools.lru_cache(maxsize=_CACHED)
def merged_json(text: str, data: str) -> str:
    """Merge a mapping, written as YAML or JSON, into a JSON file; raises MergeError."""
    wanted = plain_mapping(_one_mapping(data))
    try:
        there = json.loads(text)
    except ValueError as error:
        raise MergeError("the file is no JSON") from error
    if not isinstance(there, dict):
        raise MergeError("the file is no mapping")
    return json.dumps(_merged_plain(there, wanted), indent=2, ensure_ascii=False) + "\n"


@functools.lru_cache(maxsize=_CACHED)
def merged_secret(text: str, data: str, name: str) -> str:
    """Put a mapping of base64 into `data` of the Secret that a file holds, or of a new one; raises MergeError."""
    documents = _documents(text) or [_new_secret(name)]
    secrets = [document for document in documents if _kind(document) == "Secret"]
    if len(secrets) != 1:
        raise MergeError(f"the file holds {len(secrets) or 'no'} document{'s' * (len(secrets) > 1)} of kind Secret")
    wanted = yaml.MappingNode(_MAP, [(_text("data"), _one_mapping(data))], flow_style=False)
    return _serialized([_merged(document, wanted) if document is secrets[0] else document for document in documents])


def _documents(text: str) -> list[yaml.Node]:
    try:
        found = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise MergeError("the file is no YAML") from error
    if any(map(is_endless, found)):
        raise MergeError("an alias makes the file endless")
    if not all(map(_has_plain_keys, found)):
        raise MergeError("the file holds keys that are no text: is it a template?")
    return [node for node in found if not (isinstance(node, yaml.ScalarNode) and node.value == "")]


def _has_plain_keys(node: yaml.Node) -> bool:
    match node:
        case yaml.MappingNode():
            return all(isinstance(key, yaml.ScalarNode) and _has_plain_keys(value) for key, value in node.value)
        case yaml.SequenceNode():
            return all(map(_has_plain_keys, node.value))
        case _:
            return True


def _one_mapping(data: str) -> yaml.MappingNode:
    try:
        node = yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise MergeError("the data is not one document of YAML") from error
    if not isinstance(node, yaml.MappingNode) or is_endless(node) or not _has_plain_keys(node):
        raise MergeError("the data is no mapping of names to values")
    return node


def _merged(below: yaml.Node, above: yaml.Node) -> yaml.Node:
    """Lay a node over another one; neither is changed, since an alias may lead to it from elsewhere."""
    if not isinstance(below, yaml.MappingNode) or not isinstance(above, yaml.MappingNode):
        return above
    over = {key.value: value for key, value in above.value}
    pairs = [(key, _merged(value, over.pop(key.value)) if key.value in over else value) for key, value in below.value]
    pairs += [(key, value) for key, value in above.value if key.value in over]
    return yaml.MappingNode(below.tag, pairs, flow_style=below.flow_style if pairs and below.value else False)


def _merged_plain(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged_plain(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _serialized(documents: list[yaml.Node]) -> str:
    return yaml.serialize_all(
        documents,
        Dumper=yaml.SafeDumper,
        allow_unicode=True,
        width=1 << 30,
        explicit_start=len(documents) > 1,
    )


def _kind(document: yaml.Node) -> str:
    pairs = document.value if isinstance(document, yaml.MappingNode) else []
    return next((str(value.value) for key, value in pairs if key.value == "kind"), "")


def _new_secret(name: str) -> yaml.MappingNode:
    metadata = yaml.MappingNode(_MAP, [(_text("name"), _text(name))], flow_style=False)
    fields: list[tuple[str, yaml.Node]] = [
        ("apiVersion", _text("v1")),
        ("kind", _text("Secret")),
        ("metadata", metadata),
        ("type", _text("Opaque")),
    ]
    return yaml.MappingNode(_MAP, [(_text(key), value) for key, value in fields], flow_style=False)


def _text(value: str) -> yaml.ScalarNode:
    return yaml.ScalarNode(_TEXT, value)
