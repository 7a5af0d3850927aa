"""Look at the plugins of a Clusterfile before any run: what is found, what is chosen, when and where it would run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sealpy.clusterfile import Plugin, Readable, examine_plugins
from sealpy.errors import ConfigError, Problem
from sealpy.inventory import Inventory
from sealpy.plugin.bind import bind, select
from sealpy.plugin.bound import BoundPlugin
from sealpy.plugin.discovery import is_document, survey
from sealpy.plugin.moments import MOMENTS, Moment
from sealpy.plugin.registry import PluginType
from sealpy.sdk import HookPoint

__all__ = ["Diagnosis", "Turn", "Use", "diagnose"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Say when a plugin would run, and where: on these hosts, or for these reasons on none that is known now."""

    point: HookPoint
    moment: Moment
    hosts: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Hold a document with the type that was chosen for it, its turns, and how many problems it has."""

    bound: BoundPlugin
    turns: tuple[Turn, ...]
    problems: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Hold all that was found; `others` are files of plugin directories that nothing here reads."""

    types: tuple[PluginType, ...]
    uses: tuple[Use, ...]
    notices: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    others: tuple[str, ...] = field(default=())


def diagnose(
    clusterfile: Readable, *, image: Sequence[tuple[str, bytes]] = (), here: Sequence[tuple[str, bytes]] = ()
) -> Diagnosis:
    """Look at the documents and plugin files of a Clusterfile, of its image and of directories of this machine.

    Everything is looked at, whatever is wrong before.
    """
    problems = list(clusterfile.problems)
    registry, wrong = survey((*image, *here))
    problems += wrong
    inside = [*_documents(image, "image:", problems), *_documents(here, "", problems)]
    inventory = _inventory(clusterfile, problems)
    bound, wrong = bind(clusterfile.plugins, registry, inventory, image=inside)
    problems += wrong
    types = tuple(found for found in registry if _readable(found, problems))
    places = [problem.place for problem in problems]
    uses = tuple(Use(one, tuple(_turns(one, inventory)), places.count(one.document.place)) for one in bound)
    notices = tuple(notice for one in bound for notice in one.notices)
    return Diagnosis(
        types=types, uses=uses, notices=notices, problems=tuple(dict.fromkeys(problems)), others=registry.others
    )


def _documents(files: Iterable[tuple[str, bytes]], where: str, problems: list[Problem]) -> Iterable[Plugin]:
    for path, content in files:
        if is_document(path):
            found = examine_plugins(content.decode("utf-8", "replace"), name=f"{where}{path}")
            problems += found.problems
            yield from found.plugins


def _inventory(clusterfile: Readable, problems: list[Problem]) -> Inventory | None:
    if clusterfile.cluster is None:
        return None
    try:
        return Inventory.of(clusterfile.cluster)
    except ConfigError as error:
        problems.extend(error.problems or [Problem(error.message, error.place, error.hint)])
        return None


def _readable(found: PluginType, problems: list[Problem]) -> bool:
    """Read what an installed plugin says of itself, which nobody else may have asked for."""
    try:
        return bool(found.declaration)
    except ConfigError as error:
        problems.append(Problem(error.message, hint=error.hint))
        return False


def _turns(bound: BoundPlugin, inventory: Inventory | None) -> Iterable[Turn]:
    for point in bound.points:
        scope = bound.scope(point)
        if scope.label:
            yield Turn(point, MOMENTS[point], (), f"the nodes with the label {scope.label}, known when it fires")
        elif inventory is None:
            yield Turn(point, MOMENTS[point], (), "not known, as the Cluster cannot be read")
        else:
            yield Turn(point, MOMENTS[point], *_hosts(bound, point, inventory))


def _hosts(bound: BoundPlugin, point: HookPoint, inventory: Inventory) -> tuple[tuple[str, ...], str]:
    try:
        selected = select(bound.scope(point), inventory)
    except ConfigError:
        return (), "nowhere: see the problems"
    if point.on_leader:
        selected = tuple(host for host in selected if host == inventory.leader)
    return selected, "" if selected else "nowhere: no host of this cluster is selected"
