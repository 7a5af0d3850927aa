"""Documents with mistakes as they were most likely meant: what else is wrong with them can then be told, too."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from sealpy.clusterfile.document import Document, Location
from sealpy.clusterfile.findings import field_names
from sealpy.clusterfile.shape import Model
from sealpy.errors import nearest

__all__ = ["Mended", "mended"]

_ROUNDS = 3  # a field whose name is mended may have a wrong value, and what stands in it as well
# Of a plugin: without one of these nobody can say what the document is to do, and more would be told than is wrong.
_VITAL = frozenset({"type", "action", "data"})
ModelT = TypeVar("ModelT", bound=Model)


@dataclass(frozen=True, slots=True)
class Mended(Generic[ModelT]):
    """Hold a document as it was most likely meant, and the fields of `spec` of which something was left out.

    `document` knows where the fields stand, also those whose names are mended.
    """

    model: ModelT
    document: Document
    left_out: frozenset[str]


@dataclass(slots=True)
class _Done:
    """Note what was done to a document: fields of which something was left out, and names that were mended."""

    left_out: set[str] = field(default_factory=set)
    renamed: dict[Location, str] = field(default_factory=dict)


def mended(document: Document, model: type[ModelT]) -> Mended[ModelT] | None:
    """Read a document by the fields that its own are most like, and without those of `spec` that do not fit.

    None when that cannot be done. What is mended is told by whoever reads the document as it is.
    """
    tree: Any = copy.deepcopy(dict(document.tree))
    done = _Done()
    for _ in range(_ROUNDS):
        try:
            return Mended(model.model_validate(tree), _with_names(document, done.renamed), frozenset(done.left_out))
        except ValidationError as error:
            details = error.errors(include_url=False)
        for detail in details:
            if not _mend(tree, model, done, kind=detail["type"], location=detail["loc"]):
                return None
    return None


def _with_names(document: Document, renamed: Mapping[Location, str]) -> Document:
    """Let what stands below a key whose name is mended be found by the right name, too."""
    places = dict(document.places)
    for wrong, name in renamed.items():
        at = len(wrong)
        places |= {
            (*wrong[:-1], name, *location[at:]): place for location, place in places.items() if location[:at] == wrong
        }
    return replace(document, places=places)


def _mend(
    tree: dict[str, Any],
    model: type[Model],
    done: _Done,
    *,
    kind: str,
    location: Location,
) -> bool:
    """Mend what one error is about, and note what is left out and renamed; tells whether there is hope."""
    *around, last = location
    if kind == "missing":  # perhaps under another name, which is mended now
        return True
    if kind == "extra_forbidden":
        if (mapping := _mapping_at(tree, around)) is not None and last in mapping:
            value = mapping.pop(last)
            if (meant := nearest(str(last), field_names(model, location[:-1]))) and meant not in mapping:
                mapping[meant] = value
                done.renamed[location] = meant
            else:
                done.left_out.add(str(location[1] if len(location) > 2 else last))  # noqa: PLR2004 - spec, field, …
        return True
    if location[0] not in {"metadata", "spec"} or len(location) == 1 or location[1] in _VITAL:
        return False
    done.left_out.add(str(location[1]))
    tree[str(location[0])].pop(location[1], None)
    return True


def _mapping_at(tree: Any, location: Sequence[str | int]) -> dict[Any, Any] | None:
    """Find a mapping; None when it was taken out for another mistake."""
    for part in location:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree if isinstance(tree, dict) else None
