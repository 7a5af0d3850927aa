"""Which fields name container images: the table `rules.yaml`, and what an image adds in `manifests/imageRules`."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase, translate
from importlib import resources
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from sealpy.errors import Place, Problem, did_you_mean, known_words
from sealpy.image.finding.documents import NotYamlError, documents, entries, is_mapping, is_sequence, line_of, scalar
from sealpy.image.finding.ways import Way

if TYPE_CHECKING:
    import yaml

__all__ = ["IMAGE_RULES", "PathRule", "Rules", "builtin", "fields_of", "filled"]

IMAGE_RULES = "manifests/imageRules"

_SAID = {
    "extra_forbidden": "there is no such word",
    "missing": "it is missing",
    "string_type": "write a text",
    "tuple_type": "write a list",
}
_EVERYTHING = "any"  # the set that fits every operator is never the one to propose
_FIELD = re.compile(r"\{([^{}]+)\}")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Resource(_Model):
    kinds: tuple[str, ...]
    name: str = "*"
    at: str = ""
    images: tuple[str, ...] = ()
    chosen: str = ""
    never: tuple[str, ...] = ()


class _Set(_Model):
    env: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


class _Added(_Set):
    use: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    resources: tuple[_Resource, ...] = ()


class _Custom(_Model):
    fields: tuple[str, ...]
    parts: tuple[str, ...]


class _Table(_Model):
    placeholders: tuple[str, ...]
    custom: _Custom
    args: tuple[str, ...]
    sets: Mapping[str, _Set]
    resources: tuple[_Resource, ...]


@dataclass(frozen=True, slots=True)
class PathRule:
    """Say where resources of a kind name images; see `rules.yaml` for the words."""

    name: str
    at: Way
    images: tuple[str, ...]
    chosen: str = ""
    never: tuple[Way, ...] = ()


@dataclass(frozen=True)
class Rules:
    """Hold all that decides whether a text names an image. Patterns are those of a shell."""

    custom_fields: tuple[str, ...]
    custom_parts: tuple[str, ...]
    placeholders: frozenset[str]
    sets: Mapping[str, _Set] = field(repr=False)
    env: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    listed: frozenset[str] = frozenset()  # kinds whose images, chosen by their operator, the author lists
    resources: Mapping[str, Sequence[PathRule]] = field(default_factory=dict, repr=False)

    def names_env(self, name: str) -> bool:
        """Tell whether a variable of this name holds images."""
        return bool(self._env.fullmatch(name))

    def names_data(self, key: str) -> bool:
        """Tell whether a key of a ConfigMap holds images."""
        return bool(self._data.fullmatch(key))

    def names_argument(self, flag: str) -> bool:
        """Tell whether a flag holds images; one dash or two is the same, as Go reads them."""
        return bool(self._args.fullmatch("--" + flag.lstrip("-")))

    def skips(self, path: str) -> bool:
        """Tell whether a file or directory of the rootfs is not searched, since its author lists its images."""
        return _fits(path, self.skipped)

    def remedy(self, sort: Literal["env", "args", "data"], name: str) -> str:
        """Give the line for `manifests/imageRules` that takes a variable, flag or key; a set if one fits."""
        for title, one in self.sets.items():
            if title != _EVERYTHING and _fits(name, getattr(one, sort)):
                return f"use: [{title}]"
        return f"{sort}: [{name}]"

    @functools.cached_property
    def is_custom_field(self) -> re.Pattern[str]:
        """Give the pattern of the fields that name an image in resources that are not Kubernetes' own."""
        return _any_of(self.custom_fields)

    @functools.cached_property
    def _env(self) -> re.Pattern[str]:
        return _any_of(self.env)

    @functools.cached_property
    def _args(self) -> re.Pattern[str]:
        return _any_of(self.args)

    @functools.cached_property
    def _data(self) -> re.Pattern[str]:
        return _any_of(self.data)

    def adding(self, data: bytes, *, shown: str) -> tuple[Self, list[Problem]]:
        """Add what `manifests/imageRules` says, and tell what in it is wrong."""
        try:
            added, problems = _read_added(data, shown)
        except NotYamlError as error:
            return self, [Problem(error.message, Place(shown, error.line), error.hint)]
        if added is None:
            return self, problems
        chosen = []
        for name in added.use:
            if name in self.sets:
                chosen.append(self.sets[name])
            else:
                hint = did_you_mean(name, self.sets) or known_words(self.sets)
                problems.append(Problem(f"set {name!r} of rules: there is none", Place(shown), hint))
        table = defaultdict(tuple[PathRule, ...], {kind: tuple(rules) for kind, rules in self.resources.items()})
        for kind, rules in _by_kind(added.resources).items():
            table[kind] = (*rules, *table[kind])
        return replace(
            self,
            env=_joined(self.env, *(one.env for one in (added, *chosen))),
            args=_joined(self.args, *(_dashed(one.args) for one in (added, *chosen))),
            data=_joined(self.data, *(one.data for one in (added, *chosen))),
            skipped=added.skip,
            listed=frozenset(added.listed),
            resources=table,
        ), problems


@functools.cache
def builtin() -> Rules:
    """Read the table that sealpy comes with."""
    data = resources.files("sealpy.image.finding").joinpath("rules.yaml").read_bytes()
    [(_, document)] = documents(data)
    table = _Table.model_validate(_plain(document))
    return Rules(
        custom_fields=table.custom.fields,
        custom_parts=table.custom.parts,
        placeholders=frozenset(table.placeholders),
        sets=table.sets,
        args=table.args,
        resources=_by_kind(table.resources),
    )


def fields_of(template: str) -> list[str]:
    """List the fields that the name of an image is put together from."""
    return _FIELD.findall(template)


def filled(template: str, values: Mapping[str, str]) -> str:
    """Put a name together."""
    return _FIELD.sub(lambda found: values[found[1]], template)


def _by_kind(given: Sequence[_Resource]) -> dict[str, tuple[PathRule, ...]]:
    table: dict[str, list[PathRule]] = defaultdict(list)
    for one in given:
        never = tuple(_way(path) for path in one.never)
        for kind in one.kinds:
            table[kind].append(PathRule(one.name, _way(one.at), one.images, one.chosen, never))
    return {kind: tuple(rules) for kind, rules in table.items()}


def _way(text: str) -> Way:
    return tuple(word for word in text.split(".") if word)


def _read_added(data: bytes, shown: str) -> tuple[_Added | None, list[Problem]]:
    found = list(documents(data))
    if not found:
        return None, []
    (_, document), *more = found
    if more:
        return None, [Problem("a second document", Place(shown, line_of(more[0][1])), "write all rules into one")]
    try:
        return _Added.model_validate(_plain(document)), []
    except ValidationError as error:
        problems = [_problem(document, one["loc"], _SAID.get(one["type"], one["msg"]), shown) for one in error.errors()]
        return None, sorted(problems, key=lambda problem: problem.place.line if problem.place else 0)


def _problem(document: yaml.Node, location: Sequence[str | int], message: str, shown: str) -> Problem:
    node: yaml.Node = document
    line, known = 1, tuple(_Added.model_fields)
    for step in location:
        if is_mapping(node) and isinstance(step, str) and (inner := entries(node).get(step)):
            node = inner
        elif is_sequence(node) and isinstance(step, int):
            node = node.value[step]
            known = tuple(_Resource.model_fields)
        line = line_of(node)
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")
    hint = did_you_mean(str(location[-1]), known) if location and location[-1] not in known else ""
    return Problem(f"{where or 'the file'}: {message}", Place(shown, line), hint or known_words(known))


def _plain(node: yaml.Node) -> object:
    if is_mapping(node):
        return {key: _plain(value) for key, value in entries(node).items()}
    if is_sequence(node):
        return [_plain(item) for item in node.value]
    return scalar(node)


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    """Make one expression of many patterns, since it is asked of every variable and flag; without any it never fits."""
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _dashed(flags: Sequence[str]) -> tuple[str, ...]:
    return tuple("--" + flag.lstrip("-") for flag in flags)


def _joined(*groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for group in groups for one in group))
