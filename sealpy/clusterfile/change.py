"""Changes that the command line makes to a Clusterfile: `--set PATH=VALUE` and `--env NAME=VALUE`.

They are made in what was read, before anything is checked, so that a value of an option is held to the same rules as
one of the file; what is wrong with it is told by the name of the option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import yaml

from sealpy.clusterfile.types import KubeadmKind
from sealpy.errors import ConfigError

__all__ = ["Changes", "is_option"]

_MAP, _SEQ, _STR = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))
_SET, _ENV = "--set", "--env"
_CLUSTER = "Cluster"
_TOP = frozenset({"apiVersion", "metadata", "spec"})
_KIND = re.compile(r"(?P<kind>[A-Z][A-Za-z]+)(?:/(?P<name>[^./]+))?")
_PART = re.compile(r'\.?(?:"(?P<quoted>[^"]+)"|(?P<word>[^.\[\]"]+)|\[(?P<index>\d+|\+)\])')
_MADE = get_args(KubeadmKind)  # of these there is one in a file, and one that is not there can be made
_FORM = "write PATH=VALUE: ssh.port=2222, hosts[0].labels.disk=ssd, hosts[+]={ips: [10.0.0.9]}, Plugin/NAME.spec.data=…"
Part = str | int
_NEXT = -1  # `[+]`, the item behind the last one


@dataclass(frozen=True, slots=True)
class Changes:
    """Hold the values of `--set` and of `--env`, each as it was typed."""

    sets: tuple[str, ...] = ()
    env: tuple[str, ...] = ()

    def applied(self, documents: list[yaml.Node]) -> list[yaml.Node]:
        """Give the documents with the changes made, in order; raises ConfigError for one that leads nowhere."""
        for change in self.sets:
            documents = _applied(documents, change)
        for pair in self.env:
            documents = _with_env(documents, pair)
        return documents


def is_option(mark: yaml.Mark | None) -> bool:
    """Tell whether a node comes from an option of the command line."""
    return mark is not None and mark.name in {_SET, _ENV}


# ---- where


def _applied(documents: list[yaml.Node], change: str) -> list[yaml.Node]:
    path, equals, text = change.partition("=")
    parts = list(_parts(path)) if equals else []
    if not parts:
        raise ConfigError(f"{_SET} '{path}': this is no change", hint=_FORM)
    kind, name, parts = _target(parts)
    if not parts:
        raise ConfigError(f"{_SET} '{path}': no field is named", hint=_FORM)
    at = _find(documents, kind, name, path)
    if at is None:
        documents, at = [*documents, _document(kind)], len(documents)
    changed = _changed(documents[at], parts, _value(text, path), path)
    return [*documents[:at], changed, *documents[at + 1 :]]


def _parts(path: str) -> Iterator[Part]:
    end = 0
    while end < len(path):
        match = _PART.match(path, end)
        if not match:
            raise ConfigError(f"{_SET} '{path}': '{path[end:]}' is no part of a path", hint=_FORM)
        yield _part(match)
        end = match.end()


def _part(match: re.Match[str]) -> Part:
    if match["index"]:
        return _NEXT if match["index"] == "+" else int(match["index"])
    return match["quoted"] or match["word"].strip()


def _target(parts: list[Part]) -> tuple[str, str, list[Part]]:
    """Tell kind and name of the document that is meant, and the path in it; `spec` of the Cluster may be left out."""
    first = parts[0]
    if isinstance(first, str) and (match := _KIND.fullmatch(first)):
        return match["kind"], match["name"] or "", parts[1:]
    return _CLUSTER, "", parts if first in _TOP else ["spec", *parts]


def _find(documents: list[yaml.Node], kind: str, name: str, path: str) -> int | None:
    found = [at for at, node in enumerate(documents) if _text(node, "kind") == kind]
    if name:
        found = [at for at in found if _text(_get(documents[at], "metadata"), "name") == name]
    if len(found) == 1:
        return found[0]
    if not found and kind in _MADE:
        return None
    what = f"{kind} '{name}'" if name else f"document of kind {kind}"
    number = f"{len(found)} times a" if found else "no"
    hint = f"name the one that is meant: {kind}/NAME.spec…" if found else "look at kinds and names in the file"
    raise ConfigError(f"{_SET} '{path}': the file holds {number} {what}", hint=hint)


# ---- what


def _changed(node: yaml.Node | None, parts: list[Part], value: yaml.Node, path: str) -> yaml.Node:
    """Give a node with a value put below it; what is on the way and not there is made."""
    if not parts:
        return value
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in {"", "~", "null"}):
        node = _empty(parts[0])
    part = len(node.value) if parts[0] == _NEXT and isinstance(node, yaml.SequenceNode) else parts[0]
    match part, node:
        case str(key), yaml.MappingNode():
            return _with_key(node, key, _changed(_get(node, key), parts[1:], value, path))
        case int(index), yaml.SequenceNode() if index <= len(node.value):
            old = node.value[index] if index < len(node.value) else None
            items = [*node.value[:index], _changed(old, parts[1:], value, path), *node.value[index + 1 :]]
            return yaml.SequenceNode(node.tag, items, node.start_mark, node.end_mark, node.flow_style)
        case int(index), yaml.SequenceNode():
            count = len(node.value)
            raise ConfigError(f"{_SET} '{path}': [{index}] is beyond the {count} items", hint=f"[{count}] adds one")
        case _:
            wanted = f"'{part}'" if isinstance(part, str) else f"[{'+' if part == _NEXT else part}]"
            raise ConfigError(f"{_SET} '{path}': {wanted} cannot be found in {_kind(node)}", hint=_FORM)


def _with_env(documents: list[yaml.Node], pair: str) -> list[yaml.Node]:
    """Add to the env of the Cluster, in the form it has there."""
    at = next((at for at, node in enumerate(documents) if _text(node, "kind") == _CLUSTER), None)
    if at is None:
        return documents  # that there is no Cluster is told by the reader
    name, equals, text = pair.partition("=")
    env = _get(_get(documents[at], "spec"), "env")
    if isinstance(env, yaml.MappingNode) and equals:
        changed = _changed(documents[at], ["spec", "env", name], _scalar(text, _ENV, style="'"), pair)
    else:
        count = len(env.value) if isinstance(env, yaml.SequenceNode) else 0
        changed = _changed(documents[at], ["spec", "env", count], _scalar(pair, _ENV, style="'"), pair)
    return [*documents[:at], changed, *documents[at + 1 :]]


def _value(text: str, path: str) -> yaml.Node:
    """Read a value: the text itself, or a list or mapping in brackets."""
    if not text.startswith(("[", "{")):
        return _scalar(text, _SET)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        hint = "close the bracket, or put the value in quotes"
        raise ConfigError(f"{_SET} '{path}': the value is no list or mapping", hint=hint) from error
    return _marked(node or _scalar("", _SET))


def _marked(node: yaml.Node) -> yaml.Node:
    node.start_mark = _mark(_SET)
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                _marked(key)
                _marked(value)
        case yaml.SequenceNode():
            for item in node.value:
                _marked(item)
    return node


# ---- nodes


def _mark(option: str) -> yaml.Mark:
    return yaml.Mark(option, 0, -1, 0, None, 0)


def _scalar(text: str, option: str, *, style: str | None = None) -> yaml.ScalarNode:
    return yaml.ScalarNode(_STR, text, _mark(option), style=style)


def _empty(part: Part) -> yaml.Node:
    if isinstance(part, int):
        return yaml.SequenceNode(_SEQ, [], _mark(_SET))
    return yaml.MappingNode(_MAP, [], _mark(_SET))


def _document(kind: str) -> yaml.MappingNode:
    return yaml.MappingNode(_MAP, [(_scalar("kind", _SET), _scalar(kind, _SET))], _mark(_SET))


def _with_key(node: yaml.MappingNode, key: str, value: yaml.Node) -> yaml.MappingNode:
    there = any(_is(name, key) for name, _ in node.value)
    pairs = [(name, value if _is(name, key) else old) for name, old in node.value]
    if not there:
        pairs.append((_scalar(key, _SET, style="'"), value))
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark, node.flow_style)


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if _is(name, key)), None)


def _is(node: yaml.Node, key: str) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == key


def _text(node: yaml.Node | None, key: str) -> str:
    value = _get(node, key)
    return str(value.value) if isinstance(value, yaml.ScalarNode) else ""


def _kind(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case _:
            return "a text"
