"""Collect everything that is wrong, or worth a notice, and where it stands."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from sealpy.clusterfile.document import Document, Location
from sealpy.errors import ClusterfileError, Problem, counted, did_you_mean, known_words

__all__ = ["Findings", "as_list", "field_meant", "field_names", "in_order", "refusal", "refuse"]

# Words of other tools, or of another part of the same file, for a field: the nearest word would be another secret.
_MEANT = {
    "passwdfrom": "passwordFrom",
    "password": "passwd",
    "passwd": "password",
    "passphrase": "pkPasswd",
    "privatekey": "pk",
    "identityfile": "pk",
    "username": "user",
}
_PLAIN_LISTS = {"ips", "roles", "taints", "appNames", "certSANs"}  # no secret stands in them
_NO_BREAK = "\u00a0"
_PLAIN = re.compile(r"[\w./:-]+(?:, *[\w./:-]+)*")


@dataclass(slots=True)
class Findings:
    """Gather problems, which refuse the file, and notices, which do not."""

    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    def problem(self, document: Document, location: Location, message: str, *, hint: str = "") -> None:
        """Add a problem at a location."""
        self.problems.append(Problem(_path(location) + message, document.place(location), hint))

    def notice(self, document: Document, location: Location, message: str, *, hint: str = "") -> None:
        """Add a notice at a location."""
        self.notices.append(Problem(_path(location) + message, document.place(location), hint))

    def shape(self, document: Document, model: type[BaseModel], error: ValidationError) -> None:
        """Add everything in which a document does not have the shape of its model."""
        for detail in error.errors(include_url=False):
            location: Location = detail["loc"]
            kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
            match kind:
                case "extra_forbidden":
                    known = field_names(model, location[:-1])
                    elsewhere = _other_level(model, location)
                    hint = elsewhere or field_meant(str(location[-1]), known) or known_words(known)
                    self.problem(document, location, "this field is unknown", hint=hint)
                case "missing":
                    self.problem(document, location, "this field is missing", hint=_hints_for_missing(location))
                case "refused":
                    self.problem(document, location, context["message"], hint=context["hint"])
                case _:
                    message, hint = _wrong_type(kind, given, context)
                    if kind in {"list_type", "tuple_type"}:
                        hint = as_list(location, given)
                    if isinstance(given, str) and _NO_BREAK in given:
                        hint = "a blank in it is a no-break one, as texts from the web have: type it anew"
                    self.problem(document, location, message, hint=hint)


def refusal(name: str, problems: Sequence[Problem]) -> ClusterfileError:
    """Make one error of all problems: those of the named file first, then those of others, in the order of lines."""

    def file_of(problem: Problem) -> tuple[bool, str]:
        file = str(problem.place.file) if problem.place else ""
        return file != name, file

    ordered = sorted(in_order(problems), key=file_of)
    return ClusterfileError(f"{name}: {counted(len(ordered), 'problem')}", problems=ordered)


def refuse(name: str, problems: Sequence[Problem]) -> None:
    """Raise ClusterfileError with these problems of the named file, one as it is; do nothing when there are none."""
    match problems:
        case []:
            return
        case [one]:
            raise ClusterfileError(one.message, place=one.place, hint=one.hint)
        case _:
            raise refusal(name, problems)


def field_meant(word: str, known: Sequence[str]) -> str:
    """Give the hint that names the field which a wrong word most likely means; empty when none is like it."""
    meant = _MEANT.get(word.casefold(), "")
    return f"did you mean '{meant}'?" if meant in known else did_you_mean(word, known)


def as_list(location: Location, given: object) -> str:
    """Give the hint that says how a list is written instead; it shows the value only where that is no secret."""
    if isinstance(given, Mapping):
        return "put '- ' before its first key"
    name = str(location[-1]) if location else ""
    if name in _PLAIN_LISTS and isinstance(given, str) and _PLAIN.fullmatch(given):
        return f"write [{given}]"
    return 'write it in brackets and quotes: ["…"]'


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort by line."""
    return tuple(sorted(problems, key=lambda problem: problem.place.line if problem.place else 0))


def _path(location: Location) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{text.removeprefix('.')}: " if text else ""


def _hints_for_missing(location: Location) -> str:
    hints = {
        "metadata": "add `metadata:` with a `name:`",
        "image": "name the cluster image, such as kubernetes:v1.34.4",
    }
    match location:
        case ("spec", "hosts", int(number), "ips") if number:
            return "add `ips:`, or take the '- ' away if this belongs to the entry above"
    return hints.get(str(location[-1]), f"add `{location[-1]}:`")


def _other_level(model: type[BaseModel], location: Location) -> str:
    """Say that a field belongs a level deeper or higher, where it is known by that very name."""
    *around, word = location
    below = [key for key in field_names(model, tuple(around)) if word in field_names(model, (*around, key))]
    if len(below) == 1:
        return f"it belongs into `{below[0]}`: indent it further"
    if len(around) > 1 and word in field_names(model, tuple(around[:-1])):
        return "it belongs a level higher: indent it less"
    return ""


def _wrong_type(  # noqa: PLR0911 - one line for each kind of error
    kind: str, given: object, context: Mapping[str, Any]
) -> tuple[str, str]:
    """Say what is needed and what stands there; a value itself may be a secret and is shown only for a choice."""
    match kind:
        case "string_type":
            return f"text is needed, not {_kind(given)}", ""
        case "list_type" | "tuple_type":
            return f"a list is needed, not {_kind(given)}", ""
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"a mapping is needed, not {_kind(given)}", "write `key: value` below it"
        case "int_parsing" | "int_type" | "int_from_float":
            return f"a whole number is needed, not {_kind(given)}", "write digits only"
        case "greater_than_equal" | "less_than_equal":
            return "the number is out of range", f"it must be {_bound(context)}"
        case "literal_error":
            known = re.findall(r"'([^']+)'", str(context["expected"]))
            return f"'{given}' is not one of {context['expected']}", did_you_mean(str(given), known)
        case "string_too_short" | "too_short":
            return "it must not be empty", ""
        case _:
            return f"the value does not fit ({kind.replace('_', ' ')})", ""


def _bound(context: Mapping[str, Any]) -> str:
    return f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case str():
            return "text"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def field_names(model: type[BaseModel], location: Location) -> list[str]:
    """Give the names that a mapping at this location may have."""
    current: object = model
    for part in location:
        inner = _model_in(current)
        if inner is not None and isinstance(part, str):
            found = [info.annotation for info in inner.model_fields.values() if info.alias == part]
            current = found[0] if found else None
    last = _model_in(current)
    return [info.alias for info in last.model_fields.values() if info.alias] if last else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Find the model in `list[M]`, `M | None` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {list, Union, types.UnionType}:
        return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
    return None
