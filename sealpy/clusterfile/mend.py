"""Documents with mistakes as they were most likely meant: what else is wrong with them can then be told, too."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from sealpy.clusterfile.document import Document, Location
from sealpy.clusterfile.findings import field_names
from sealpy.clusterfile.shape import Model
from sealpy.errors import nearest

__all__ = ["mended"]

_ROUNDS = 3  # a field whose name is mended may have a wrong value, and what stands in it as well
# Without one of these nobody can say what the document is to do, and more would be told than is wrong.
_VITAL = frozenset({"type", "action", "data"})
ModelT = TypeVar("ModelT", bound=Model)


def mended(document: Document, model: type[ModelT]) -> ModelT | None:
    """Read a document by the fields that its own are most like, and without those of `spec` that do not fit.

    None when that cannot be done. What is mended is told by whoever reads the document as it is.
    """
    tree: Any = copy.deepcopy(dict(document.tree))
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            details = error.errors(include_url=False)
        if not all(_mend(tree, model, kind=detail["type"], location=detail["loc"]) for detail in details):
            return None
    return None


def _mend(tree: dict[str, Any], model: type[Model], *, kind: str, location: Location) -> bool:
    """Mend what one error is about; tells whether there is hope."""
    *around, last = location
    if kind == "missing":  # perhaps under another name, which is mended now
        return True
    if kind == "extra_forbidden":
        if (mapping := _mapping_at(tree, around)) is not None and last in mapping:
            value = mapping.pop(last)
            if (meant := nearest(str(last), field_names(model, location[:-1]))) and meant not in mapping:
                mapping[meant] = value
        return True
    if location[0] != "spec" or len(location) == 1 or location[1] in _VITAL:
        return False
    tree["spec"].pop(location[1], None)
    return True


def _mapping_at(tree: Any, location: Sequence[str | int]) -> dict[Any, Any] | None:
    """Find a mapping; None when it was taken out for another mistake."""
    for part in location:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree if isinstance(tree, dict) else None
