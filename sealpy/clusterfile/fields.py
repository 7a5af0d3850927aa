"""The types of single fields: how a text becomes a value, and what is said when it cannot.

Every scalar arrives as the text that was typed (or as None), so each type here decides alone what its text means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from sealpy.clusterfile.hosts import parse_hosts
from sealpy.clusterfile.types import Process
from sealpy.errors import ConfigError, did_you_mean, known_words

__all__ = [
    "Actions",
    "ClusterName",
    "DataRoot",
    "Domain",
    "EnvList",
    "Flag",
    "Host",
    "Hosts",
    "JumpHost",
    "Pairs",
    "Port",
    "Processes",
    "Role",
    "RootfsPath",
    "Seconds",
    "Taint",
    "TextOrMapping",
    "Timeout",
    "hops",
    "refused",
]

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DOMAIN = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*")
_HOP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<host>[^:@\s]+))(?::(?P<port>\d+))?")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?", re.ASCII)
_TAINT = re.compile(
    r"[A-Za-z0-9][-\w./]*(?:=[-\w.]*)?(?::(?:NoSchedule|PreferNoSchedule|NoExecute))?-"  # taken away
    r"|[A-Za-z0-9][-\w./]*(?:=[-\w.]*)?:(?:NoSchedule|PreferNoSchedule|NoExecute)",
    re.ASCII,
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)|(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_FLAGS = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}


def refused(message: str, hint: str = "") -> PydanticCustomError:
    """Make the error of a field; `hint` says what to write."""
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


def _flag(value: object) -> object:
    if not isinstance(value, str) or value not in _FLAGS:
        raise refused(f"{_shown(value)} is neither true nor false", "write true or false")
    return _FLAGS[value]


def _host_range(value: object) -> object:
    if not isinstance(value, str):
        raise refused(f"{_shown(value)} is no IP address", "write addresses such as 10.0.0.1")
    try:
        hosts = parse_hosts(value)
    except ConfigError as error:
        raise refused(error.message, error.hint) from None
    if not hosts:
        raise refused("an address is missing", "write addresses such as 10.0.0.1")
    return hosts


def _one_host(value: str) -> str:
    hosts = _host_range(value)
    if not isinstance(hosts, tuple) or len(hosts) != 1:
        raise refused(f"'{value}' is more than one address", "write one address")
    return str(hosts[0])


def _jump_host(value: str) -> str:
    if ":" in value:
        return _one_host(value)
    if not _DOMAIN.fullmatch(value):
        raise refused(
            f"'{value}' is no name and no address", "write it without user and port, which have their own keys"
        )
    return value


def hops(value: object) -> object:
    """Read `bastion`, `ops@first:2222,second`, a list of these, or of mappings with `host:`."""
    items = value.split(",") if isinstance(value, str) else value
    return [_hop(item) if isinstance(item, str) else item for item in items] if isinstance(items, list) else items


def _hop(text: str) -> object:
    match = _HOP.fullmatch(text.strip())
    if not match:
        raise refused(f"'{text.strip()}' is no jump host", "write user@host:port, where host alone is enough")
    named = {"user": match["user"], "host": match["address"] or match["host"], "port": match["port"]}
    return {key: text for key, text in named.items() if text}


def _cluster_name(value: str) -> str:
    if not _DNS_LABEL.fullmatch(value):
        hint = "use up to 63 small letters, digits and '-': it becomes part of paths on every host"
        raise refused(f"'{value}' cannot be the name of a cluster", hint)
    return value


def _role(value: str) -> str:
    if not _LABEL_NAME.fullmatch(value):
        raise refused(f"'{value}' cannot be a role", "use letters, digits, '-', '_' and '.': it becomes a node label")
    return value


def _taint(value: str) -> str:
    if not _TAINT.fullmatch(value):
        hint = "write key=value:NoSchedule, key:NoExecute, or key- to take it away"
        raise refused(f"'{value}' is no taint", hint)
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise refused(f"'{value}' is no domain", "write it without scheme, port and path, such as sea.hub")
    return value


def _data_root(value: str) -> str:
    path = value.rstrip("/")
    if not path.startswith("/") or ".." in path.split("/"):
        raise refused(f"'{value}' cannot hold data of clusters", "write an absolute path such as /var/lib/sealpy/data")
    return path


def _rootfs_path(value: str) -> str:
    path = value.removeprefix("./")
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise refused(f"'{value}' is no path within the rootfs", "write it relative to the rootfs: etc/app.yaml")
    return path


def _pair(value: str) -> str:
    name, equals, _ = value.partition("=")
    if not equals or not name.strip():
        raise refused(f"'{name}' sets nothing", "write NAME=value")
    if "\0" in value:
        raise refused(f"'{name}' holds a NUL, which no environment can", "take \\0 out of the value")
    return value


def _pair_or_name(value: str) -> str:
    """Let a name alone stand for the value that the variable has where sealpy runs."""
    return _pair(value) if "=" in value or "\0" in value or not value.strip() else value.strip()


def _listed(value: object) -> object:
    """Take a mapping for the list that the ancestor asks for; its documents show both."""
    if isinstance(value, Mapping) and all(isinstance(item, str | None) for item in value.values()):
        return [f"{name}={item or ''}" for name, item in value.items()]
    return value


def _actions(value: object) -> object:
    if not isinstance(value, str):
        raise refused(f"text is needed, not {_shown(value)}", "write hook points with '|' between them")
    actions = tuple(action.strip() for action in value.split("|")) if value.strip() else ()
    if "" in actions:
        raise refused(f"'{value}' has an empty part", "write hook points with one '|' between them")
    return actions


def _processes(value: object) -> object:
    if not isinstance(value, str):
        raise refused(f"text is needed, not {_shown(value)}", "write steps with '|' between them")
    words = [word.strip() for word in value.split("|")] if value.strip() else []
    if unknown := [word for word in words if word not in get_args(Process)]:
        known = get_args(Process)
        raise refused(f"'{unknown[0]}' is unknown", did_you_mean(unknown[0], known) or known_words(known))
    return tuple(words)


def _seconds(value: object) -> object:
    """Read `90`, `90s`, `10m`, `1h30m`."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match or not any(match.groups()):
        raise refused(f"{_shown(value)} is no length of time", "write 90s, 10m or 1h30m")
    plain, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return plain + hours * 3600 + minutes * 60 + seconds


def _some_seconds(value: object) -> object:
    seconds = _seconds(value)
    if not seconds:
        raise refused(f"{_shown(value)} leaves no time", "write 90s, 10m or 1h30m")
    return seconds


def _actions_list(value: object) -> object:
    """Take a list for the text with bars."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _actions("|".join(value))
    return _actions(value)


def _shown(value: object) -> str:
    match value:
        case str():
            return f"'{value}'"
        case None:
            return "nothing"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


Actions = Annotated[
    tuple[str, ...],
    BeforeValidator(_actions_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Seconds = Annotated[float, BeforeValidator(_seconds), WithJsonSchema({"type": ["string", "number"]})]
Timeout = Annotated[float, BeforeValidator(_some_seconds), WithJsonSchema({"type": ["string", "number"]})]
Processes = Annotated[tuple[Process, ...], BeforeValidator(_processes), WithJsonSchema({"type": "string"})]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Port = Annotated[int, Field(ge=1, le=65535)]
Hosts = Annotated[tuple[str, ...], BeforeValidator(_host_range), WithJsonSchema({"type": "string"})]
Host = Annotated[str, AfterValidator(_one_host)]
JumpHost = Annotated[str, AfterValidator(_jump_host)]
ClusterName = Annotated[str, AfterValidator(_cluster_name)]
Role = Annotated[str, AfterValidator(_role)]
Taint = Annotated[str, AfterValidator(_taint)]
Domain = Annotated[str, AfterValidator(_domain)]
DataRoot = Annotated[str, AfterValidator(_data_root)]
RootfsPath = Annotated[str, AfterValidator(_rootfs_path)]
_LISTED = WithJsonSchema(
    {
        "anyOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ]
    }
)
Pairs = Annotated[list[Annotated[str, AfterValidator(_pair)]], BeforeValidator(_listed), _LISTED]
EnvList = Annotated[list[Annotated[str, AfterValidator(_pair_or_name)]], BeforeValidator(_listed), _LISTED]
TextOrMapping = Annotated[str, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]})]
