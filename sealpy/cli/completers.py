"""Values that the shell may complete, by the word that the help has for them; read from small files, quickly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from sealpy.cli.home import home

__all__ = ["COMPLETERS"]

Candidates = Iterable[tuple[str, str]]  # each with what it is

_REF_NAME: Final = "org.opencontainers.image.ref.name"  # the annotation of the OCI image layout
_WAYS: Final = ("ways", "other hosts call the ports of each")  # a check that is no function of facts, and slow to load


def _images(typed: str) -> Candidates:
    """Name the images of the store, the short way or, when that is how it was begun, in full."""
    from sealpy.errors import BadReferenceError
    from sealpy.image.reference import Reference

    for entry in json.loads((home() / "images" / "index.json").read_bytes())["manifests"]:
        with suppress(BadReferenceError):  # another tool wrote it, or it has no name
            reference = Reference.parse((entry.get("annotations") or {}).get(_REF_NAME, ""))
            short, full = reference.familiar, str(reference)
            yield (short if short.startswith(typed) else full), ""


def _checks(typed: str) -> Candidates:
    """Name the checks that can be left out, behind those that the word has already, by commas."""
    from sealpy.checks import CHECKS, FIXED

    before = typed[: typed.rfind(",") + 1]
    taken = {*FIXED, *before.split(",")}
    return ((before + id_, why) for id_, why in [*((one.id, one.reason) for one in CHECKS), _WAYS] if id_ not in taken)


def _clusters(_typed: str) -> Candidates:
    """Name the clusters that were made from here: those whose Clusterfile was kept."""
    return ((path.parent.name, "") for path in sorted((home() / "clusters").glob("*/Clusterfile")))


def _labs(_typed: str) -> Candidates:
    return ((path.parent.name, "") for path in sorted((home() / "lab").glob("*/lab.json")))


def _machines(_typed: str) -> Candidates:
    return ((path.name, "") for path in sorted((home() / "lab").glob("*/machines/*")))


def _points(_typed: str) -> Candidates:
    from sealpy.sdk.hooks import HookPoint

    return ((point.value, "") for point in HookPoint)


def _plugins(_typed: str) -> Candidates:
    """Name the installed types; where none begins so, the shell looks for files."""
    from importlib.metadata import entry_points

    return ((entry.name, "an installed type") for entry in entry_points(group="sealpy.phases"))


def _registries(_typed: str) -> Candidates:
    """Name the registries that 'sealpy login' keeps a login for."""
    return ((name, "") for name in json.loads((home() / "auth.json").read_bytes())["auths"])


COMPLETERS: Final[Mapping[str, Callable[[str], Candidates]]] = {
    "CHECK": _checks,
    "CLUSTER": _clusters,
    "IMAGE": _images,
    "INDEX": _images,
    "LAB": _labs,
    "MACHINE": _machines,
    "OTHER": _images,
    "PLUGIN": _plugins,
    "POINT": _points,
    "REGISTRY": _registries,
}
