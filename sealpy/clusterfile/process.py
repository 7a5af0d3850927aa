"""What the processes of a Config make of its data (sealer.md §2.6)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace

import yaml

from sealpy.clusterfile.document import is_endless, plain_value
from sealpy.clusterfile.types import Config
from sealpy.errors import ClusterfileError

__all__ = ["Processed", "processed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Processed:
    """Hold data on its way: a text or, from `value` on, the values of a mapping by key.

    `encoded` tells that base64 was made of it, `secret` that it is to become the data of a Secret.
    """

    text: str = ""
    values: dict[str, yaml.Node] | None = None
    encoded: bool = False
    secret: bool = False


def processed(config: Config) -> Processed:
    """Send the data of a Config through its processes, from left to right; raises ClusterfileError with its place."""
    data = Processed(text=config.data)
    for at, process in enumerate(config.process):
        match process:
            case "value":
                data = replace(data, values=_values(config))
            case "toJson":
                data = _to_json(config, data)
            case "toBase64":
                data = _to_base64(config, data)
            case "toSecret":
                if at != len(config.process) - 1:
                    raise _error(config, "toSecret is not the last process", "write it last: value|toBase64|toSecret")
                data = replace(data, values=data.values or _values(config), secret=True)
    if data.secret and not data.encoded:
        data = _to_base64(config, data)
    return data if data.values is None else replace(data, text=_written(data.values))


def _values(config: Config) -> dict[str, yaml.Node]:
    node = _node(config)
    if not isinstance(node, yaml.MappingNode):
        raise _error(config, "its data is no mapping, whose values could be processed", "write `key: value` lines")
    return {str(key.value): value for key, value in node.value}


def _node(config: Config) -> yaml.Node:
    try:
        node = yaml.compose(config.data, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _error(config, "its data is no YAML, which its processes need", "look at `data`") from error
    if node and is_endless(node):
        raise _error(config, "an alias makes its data endless", "write out what is meant")
    return node or _scalar("")


def _to_json(config: Config, data: Processed) -> Processed:
    if data.values is None:
        return replace(data, text=_json(_node(config)))
    return replace(data, values={key: _scalar(_json(node)) for key, node in data.values.items()})


def _to_base64(config: Config, data: Processed) -> Processed:
    if data.values is None:
        return replace(data, text=_base64(data.text), encoded=True)
    for key, node in data.values.items():
        if not isinstance(node, yaml.ScalarNode):
            raise _error(config, f"'{key}' is no text, of which base64 could be made", "write toJson before toBase64")
    return replace(data, values={key: _scalar(_base64(node.value)) for key, node in data.values.items()}, encoded=True)


def _json(node: yaml.Node) -> str:
    return json.dumps(plain_value(node), ensure_ascii=False, separators=(",", ":"))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _scalar(text: str) -> yaml.ScalarNode:
    style = "'" if text else '"'
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)


def _written(values: dict[str, yaml.Node]) -> str:
    pairs = [(_scalar(key), value) for key, value in values.items()]
    node = yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)
    return yaml.serialize(node, Dumper=yaml.SafeDumper, allow_unicode=True, width=1 << 30)


def _error(config: Config, message: str, hint: str) -> ClusterfileError:
    return ClusterfileError(f"Config '{config.name}': {message}", place=config.place, hint=hint)
