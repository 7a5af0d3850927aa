"""Join documents of kind Plugin to the code they name, or say all that is wrong with them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sealpy.clusterfile import Plugin
from sealpy.errors import ConfigError, PluginError, Problem, counted, did_you_mean, known_words, nearest
from sealpy.inventory import Inventory, Scope
from sealpy.plugin.bound import BoundPlugin
from sealpy.plugin.code import BuiltIn
from sealpy.plugin.declaration import AT_ONCE
from sealpy.plugin.registry import PluginType, Registry, TypeUnseenError
from sealpy.sdk import HookPoint

__all__ = ["Binding", "bind", "check", "select"]

_ROLES = frozenset({"master", "master0", "node", "control-plane", "worker"})
# Where the API server answers and the hosts of the operation are nodes.
_LABELS_KNOWN = frozenset(
    {
        HookPoint.PRE_GUEST,
        HookPoint.POST_INSTALL,
        HookPoint.POST_JOIN,
        HookPoint.PRE_CLEAN,
        HookPoint.POST_INIT_HOST,
        HookPoint.PRE_CLEAN_HOST,
        HookPoint.UPGRADE_HOST,
    }
)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][-\w./]*\s*(=|==|!=)\s*[-\w.]*")
_WORDS = frozenset(point.value for point in HookPoint)
T = TypeVar("T")


def select(scope: Scope, inventory: Inventory) -> tuple[str, ...]:
    """Give the hosts that a scope without label selects; raises ConfigError for a word that can never select any.

    `master|node` in a cluster of masters selects them all: a role that no host has adds nobody, and is no mistake.
    """
    if not scope.words:
        return inventory.addresses
    chosen: set[str] = set()
    for word in scope.words:
        try:
            chosen.update(Scope(words=(word,)).select(inventory))
        except ConfigError:
            if word not in _ROLES:
                raise
    return tuple(address for address in inventory.addresses if address in chosen)


def check(
    written: Sequence[Plugin], registry: Registry, inventory: Inventory, *, image: Sequence[Plugin] = ()
) -> tuple[BoundPlugin, ...]:
    """Bind the documents of the Clusterfile and of the image, in the order in which they fire.

    A document that stands in both, word for word, fires once. Raises one PluginError with every problem and its place.
    A role that no host has is a problem in a Clusterfile, which is written for this cluster; in an image, which is
    written for many, the plugin is skipped when its turn comes, and that is told.
    """
    found = bind(written, registry, inventory, image=image)
    if found.problems:
        count = counted(len(found.problems), "problem")
        raise PluginError(f"{count} with plugins; nothing was changed", problems=found.problems)
    return found.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Hold the documents that are bound, in the order in which they fire, and everything that is wrong.

    `unchecked` are documents of which nobody can say whether their type is known, as an image could not be looked at.
    """

    bound: tuple[BoundPlugin, ...]
    problems: tuple[Problem, ...]
    unchecked: tuple[Problem, ...]


def bind(
    written: Sequence[Plugin],
    registry: Registry,
    inventory: Inventory | None,
    *,
    image: Sequence[Plugin] = (),
    mended: Sequence[Plugin] = (),
) -> Binding:
    """Bind likewise, as many documents as can be; those that are `mended` are only looked at.

    Without an inventory nothing is said of the hosts that documents select.
    """
    binder, only_look = _Binder(registry, inventory), _Binder(registry, inventory)
    for document, strict in (*((d, True) for d in written), *((d, False) for d in image)):
        binder.bind(document, strict=strict)
    for document in mended:
        only_look.bind(document, strict=True)
    return Binding(
        bound=tuple(sorted(binder.bound.values(), key=lambda bound: bound.document.order)),
        problems=(*binder.problems, *only_look.problems),
        unchecked=(*binder.unchecked, *only_look.unchecked),
    )


class _Binder:
    """Bind one document after the other.

    A word that is nearly a type or an action is told, and taken for it: what else is wrong is told at once.
    """

    def __init__(self, registry: Registry, inventory: Inventory | None) -> None:
        self._registry = registry
        self._inventory = inventory
        self.bound: dict[Plugin, BoundPlugin] = {}
        self.problems: list[Problem] = []
        self.unchecked: list[Problem] = []

    def bind(self, document: Plugin, *, strict: bool) -> None:
        told = len(self.problems)
        found = self._attempt(document, lambda: self._type(document))
        meant = found or self._registry.nearest(document.type)
        declaration = meant and self._attempt(document, lambda: meant.declaration)
        points = self._points(document, found if declaration else None)
        if not meant or not declaration or not points:
            return
        bound = BoundPlugin(
            document=document,
            type=meant,
            points=points,
            timeout=document.timeout or declaration.timeout,
            parallel=document.parallel or declaration.parallel,
            selects=declaration.selects,
        )
        if document in self.bound:  # compared without its place
            return
        if len(self.problems) == told:
            self.bound[document] = bound
        self.problems += self._hosts(bound, strict=strict)
        if found:
            self.problems += (*_width(bound, declaration.parallel), *_data(bound))

    def _attempt(self, document: Plugin, find: Callable[[], T]) -> T | None:
        try:
            return find()
        except TypeUnseenError as error:
            self.unchecked.append(_problem(document, error.message, error.hint, word="type"))
        except PluginError as error:
            self._say(document, error.message, error.hint, word="type")
        return None

    def _say(self, document: Plugin, message: str, hint: str, *, word: str) -> None:
        self.problems.append(_problem(document, message, hint, word=word))

    def _type(self, document: Plugin) -> PluginType:
        if document.type:
            return self._registry.find(document.type)
        try:
            return self._registry.find(document.name)  # before 0.5 the name was the type
        except PluginError as error:
            known = ", ".join(found.type for found in self._registry)
            raise PluginError("no type is given", hint=f"add spec.type: one of {known}") from error

    def _points(self, document: Plugin, found: PluginType | None) -> tuple[HookPoint, ...]:
        words = document.actions
        if not words and found:
            if not found.declaration.default:
                hint = f"add spec.action, such as {HookPoint.POST_INSTALL}"
                self._say(document, "no action is given", hint, word="action")
            return found.declaration.default
        return tuple(dict.fromkeys(point for word in words for point in self._point(document, word, found)))

    def _point(self, document: Plugin, word: str, found: PluginType | None) -> Iterator[HookPoint]:
        """Yield the hook point that a word names, or most likely means; none that its type cannot be used at."""
        if word not in _WORDS:
            hint = did_you_mean(word, _WORDS) or known_words(_WORDS)
            self._say(document, f"action '{word}' is not known", hint, word="action")
            if near := nearest(word, _WORDS):
                yield HookPoint(near)
        elif found and found.declaration.phases and HookPoint(word) not in found.declaration.phases:
            hint = f"use {' or '.join(found.declaration.phases)}"
            self._say(document, f"type '{found.type}' cannot be used at '{word}'", hint, word="action")
        else:
            yield HookPoint(word)

    def _hosts(self, bound: BoundPlugin, *, strict: bool) -> Iterator[Problem]:
        """Look for selectors that can select nobody; each is told once, not once for each hook point."""
        told = set()
        inventory = self._inventory
        if inventory is None:
            return
        for point in bound.points:
            for problem in _selection(bound, point, inventory, strict=strict):
                if problem.message not in told:
                    told.add(problem.message)
                    yield problem


def _selection(bound: BoundPlugin, point: HookPoint, inventory: Inventory, *, strict: bool) -> Iterable[Problem]:
    scope, word = bound.scope(point), bound.selector(point)
    if scope.label:
        yield from _label(bound, point, scope.label)
        return
    try:
        selected = select(scope, inventory)
    except ConfigError as error:
        yield _problem(bound.document, error.message, _nearest_word(scope, inventory) or error.hint, word=word)
        return
    if not selected and strict:
        roles = ", ".join(dict.fromkeys(role for host in inventory for role in host.roles))
        yield _problem(
            bound.document,
            f"scope '{'|'.join(scope.words)}' selects no host",
            f"the hosts of this cluster are: {roles}; leave the plugin away, or add hosts",
            word=word,
        )
    elif selected and point.on_leader and inventory.leader not in selected:
        yield _problem(
            bound.document,
            f"'{point}' runs on the leader {inventory.leader} alone, which scope '{'|'.join(scope.words)}' leaves out",
            "use master0, or leave the scope away",
            word=word,
        )


def _label(bound: BoundPlugin, point: HookPoint, label: str) -> Iterator[Problem]:
    word = bound.selector(point)
    if not all(_REQUIREMENT.fullmatch(part.strip()) for part in label.split(",")):
        yield _problem(
            bound.document,
            f"'{label}' is neither roles and addresses nor a selector of labels",
            "write roles and addresses as a|b, labels as key=value,other!=value",
            word=word,
        )
    elif point not in _LABELS_KNOWN:
        allowed = ", ".join(sorted(_LABELS_KNOWN))
        yield _problem(
            bound.document,
            f"label selector '{label}' cannot be answered at '{point}'",
            f"nodes have labels at {allowed}",
            word=word,
        )


def _nearest_word(scope: Scope, inventory: Inventory) -> str:
    """Name the role that a word which selects nobody is most like."""
    roles = {*_ROLES, *(role for host in inventory for role in host.roles)}
    near = (did_you_mean(word, roles) for word in scope.words if word not in roles and not set(".:") & set(word))
    return next(filter(None, near), "")


def _width(bound: BoundPlugin, most: int) -> Iterator[Problem]:
    """A type that must not run on many hosts at once says so; a document may only narrow it."""
    if bound.parallel > most and most < AT_ONCE:
        yield _problem(
            bound.document,
            f"parallel is {bound.parallel}, but type '{bound.type.type}' works on {most} at once at most",
            f"write {most} or less",
            word="parallel",
        )


def _data(bound: BoundPlugin) -> Iterator[Problem]:
    """Ask a built-in type what is wrong with the data; others are asked when they run, in their own process."""
    if isinstance(bound.type.code, BuiltIn):
        plugin = importlib.import_module(bound.type.code.module).Plugin
        if hasattr(plugin, "check"):
            yield from (_problem(bound.document, message, word="data") for message in plugin.check(bound.document.data))
        if hasattr(plugin, "check_on"):
            yield from (_problem(bound.document, message, word="on") for message in plugin.check_on(bound.document.on))


def _problem(document: Plugin, message: str, hint: str = "", *, word: str) -> Problem:
    return Problem(f"plugin '{document.name}': {message}", document.place_of(word), hint)
