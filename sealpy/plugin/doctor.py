"""Look at the plugins of a Clusterfile before any run: what is found, what is chosen, when and where it would run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sealpy.errors import ConfigError, PluginError, Problem, counted, problems_of
from sealpy.inventory import Inventory
from sealpy.plugin.bind import select
from sealpy.plugin.bound import BoundPlugin
from sealpy.plugin.gather import Gathered
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
    """Hold all that was found; `others` are files of plugin directories that nothing here reads.

    `unseen` names an image that is not here, so that nobody knows which plugins it brings.

    `problems` are of types that no document names; those of documents were gathered with them.
    """

    types: tuple[PluginType, ...]
    uses: tuple[Use, ...]
    notices: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    others: tuple[str, ...] = ()
    unseen: str = ""

    def check(self) -> None:
        """Raise one PluginError with all problems."""
        if self.problems:
            raise PluginError(f"{counted(len(self.problems), 'problem')} with plugins", problems=self.problems)


def diagnose(found: Gathered, inventory: Inventory | None) -> Diagnosis:
    """Say of everything that was gathered what would come of it, on the hosts of this inventory where there is one."""
    problems: list[Problem] = []
    types = tuple(type_ for type_ in found.registry if _readable(type_, problems))
    uses = tuple(Use(one, tuple(_turns(one, inventory)), _count(one, found.problems)) for one in found.bound)
    notices = tuple(notice for one in found.bound for notice in one.notices)
    return Diagnosis(
        types=types,
        uses=uses,
        notices=notices,
        problems=tuple(dict.fromkeys(problems)),
        others=found.registry.others,
        unseen=found.registry.unseen,
    )


def _count(bound: BoundPlugin, problems: Sequence[Problem]) -> int:
    """Count the problems of a document, by the places of its words."""
    places = {bound.document.place, *bound.document.words.values()}
    return sum(problem.place in places for problem in problems)


def _readable(found: PluginType, problems: list[Problem]) -> bool:
    """Read what an installed plugin says of itself, which nobody else may have asked for."""
    try:
        return bool(found.declaration)
    except ConfigError as error:
        problems += problems_of(error)
        return False


def _turns(bound: BoundPlugin, inventory: Inventory | None) -> Iterable[Turn]:
    for point in bound.points:
        scope = bound.scope(point)
        if scope.label:
            yield Turn(point, MOMENTS[point], (), f"the nodes with the label {scope.label}, known when it fires")
        elif inventory is None:
            yield Turn(point, MOMENTS[point], (), "hosts that are not known here")
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
