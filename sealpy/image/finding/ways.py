"""Ways through a document: what stands at the end of one, and how the way to a thing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sealpy.image.finding.documents import DEEPEST, entries, is_mapping, is_sequence

if TYPE_CHECKING:
    import yaml

__all__ = ["Fields", "Trail", "Way", "follow", "mappings", "written"]

Fields = Mapping[str, "yaml.Node"]
Trail = tuple["Trail", str | int] | None
"""The way from the top of a document to a thing, its last step first."""
Way = tuple[str, ...]
"""Names of fields from the top of a resource; `*` is each field or item, `**`, as the last, every mapping below."""

_ALL = "*"
_BELOW = ("**",)


def follow(fields: Fields, way: Way, trail: Trail) -> Iterator[tuple[yaml.Node, Fields, Trail]]:
    """Go a way: give each thing at its end, the fields that it has, and the way to it."""
    if not way:
        return
    for key, node in fields.items():
        if way == _BELOW:
            yield from _below(node, (trail, key), set(), 0)
        elif way[0] in {key, _ALL}:
            yield from _onward(node, way[1:], (trail, key))


def mappings(node: yaml.Node) -> Iterator[tuple[int, Fields]]:
    """Give the fields of each item of a list that has any, with its number."""
    if is_sequence(node):
        for index, item in enumerate(node.value):
            if is_mapping(item):
                yield index, entries(item)


def written(trail: Trail) -> str:
    """Write a way, such as `spec.containers[0].image`."""
    steps: list[str] = []
    while trail:
        trail, step = trail
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}" if _is_plain(step) else f'["{step}"]')
    return "".join(reversed(steps)).removeprefix(".")


def _onward(node: yaml.Node, way: Way, trail: Trail) -> Iterator[tuple[yaml.Node, Fields, Trail]]:
    if not way:
        yield node, entries(node) if is_mapping(node) else {}, trail
    elif way == _BELOW:
        yield from _below(node, trail, set(), 0)
    elif is_mapping(node):
        yield from follow(entries(node), way, trail)
    elif is_sequence(node) and way[0] == _ALL:
        for index, item in enumerate(node.value):
            yield from _onward(item, way[1:], (trail, index))


def _below(node: yaml.Node, trail: Trail, seen: set[int], depth: int) -> Iterator[tuple[yaml.Node, Fields, Trail]]:
    if id(node) in seen or depth > DEEPEST:
        return  # an alias: the same node again, perhaps its own parent
    seen.add(id(node))
    if is_sequence(node):
        for index, item in enumerate(node.value):
            yield from _below(item, (trail, index), seen, depth + 1)
    elif is_mapping(node):
        fields = entries(node)
        yield node, fields, trail
        for key, value in fields.items():
            yield from _below(value, (trail, key), seen, depth + 1)


def _is_plain(step: str) -> bool:
    return bool(step) and not any(sign in step for sign in '.[]" ')
