"""What the operator says of registries, once for all commands, in `<home>/registries.yaml`.

docker.io:
  mirrors: [mirror.example.com:5000/hub]     # read before it, in this order; written to never
registry.example.com:5000:
  ca: /etc/ssl/example.pem                   # an authority beside those of the system
  insecure: false                            # true: neither TLS nor a certificate is asked for
  chunk: 50000000                            # bytes that a proxy in front of it takes in one request
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from sealpy.disk import expanded, reason_of
from sealpy.errors import BadReferenceError, ConfigError, Place, did_you_mean, known_words
from sealpy.image.reference import Reference
from sealpy.image.remote.tls import Tls

__all__ = ["Setting", "read_settings"]

_FIELDS: Final = ("ca", "chunk", "insecure", "mirrors")


@dataclass(frozen=True, slots=True)
class Setting:
    """Hold what is said of one registry."""

    mirrors: tuple[str, ...] = ()
    tls: Tls = field(default_factory=Tls)
    chunk: int = 0


def read_settings(path: Path) -> Mapping[str, Setting]:
    """Read the file, which need not be there; raises ConfigError with the place of what is wrong."""
    text = ""
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = reason_of(error)
        raise ConfigError(f"{path}: cannot be read: {reason}", hint="see to its owner and mode") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("not in UTF-8", place=Place(path, line), hint="mend the file") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(error.problem or "not YAML", place=Place(path, line), hint="mend the file") from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ConfigError(error.reason, place=Place(path, line), hint="mend the file") from error
    if root is None:
        return {}
    return {_text(key, path): _setting(value, path) for key, value in _pairs(root, path)}


def _setting(node: yaml.Node, path: Path) -> Setting:
    mirrors: tuple[str, ...] = ()
    ca: Path | None = None
    insecure, chunk = False, 0
    for key, value in _pairs(node, path):
        match _text(key, path):
            case "mirrors" if isinstance(value, yaml.SequenceNode):
                mirrors = tuple(_mirror(one, path) for one in value.value)
            case "ca":
                ca = expanded(_text(value, path))
            case "insecure" if isinstance(value, yaml.ScalarNode) and value.value in {"true", "false"}:
                insecure = value.value == "true"
            case "chunk" if isinstance(value, yaml.ScalarNode) and value.value.isdigit():
                chunk = int(value.value)
            case "mirrors" | "insecure" | "chunk" as name:
                kind = {"mirrors": "a list of registries", "insecure": "true or false"}.get(name, "a number of bytes")
                raise ConfigError(f"'{name}' is not {kind}", place=_place(value, path), hint=f"write {name}: {kind}")
            case name:
                hint = did_you_mean(name, _FIELDS) or known_words(_FIELDS)
                raise ConfigError(f"no field '{name}' of a registry", place=_place(key, path), hint=hint)
    return Setting(mirrors, Tls(ca, insecure), chunk)


def _mirror(node: yaml.Node, path: Path) -> str:
    """Check that a mirror is `domain[:port][/path]`."""
    text = _text(node, path).rstrip("/")
    try:
        found = Reference.parse(f"{text}/x")
    except BadReferenceError as error:
        raise ConfigError(error.message, place=_place(node, path), hint="write domain[:port][/path]") from error
    if found.repository != f"{text}/x":
        message = f"mirror '{text}' has no domain"
        raise ConfigError(message, place=_place(node, path), hint="write domain[:port][/path]")
    return text


def _pairs(node: yaml.Node, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            "not a mapping", place=_place(node, path), hint="write 'registry.example.com: {insecure: true}'"
        )
    yield from node.value


def _text(node: yaml.Node, path: Path) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ConfigError("not a text", place=_place(node, path), hint="mend the file")
    return str(node.value)


def _place(node: yaml.Node, path: Path) -> Place:
    return Place(path, node.start_mark.line + 1)
