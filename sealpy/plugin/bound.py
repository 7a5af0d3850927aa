"""A document that is in order, joined to the type it names."""

from __future__ import annotations

from dataclasses import dataclass

from sealpy.clusterfile import Plugin
from sealpy.errors import Problem
from sealpy.inventory import Scope
from sealpy.plugin.registry import PluginType
from sealpy.sdk import HookPoint

__all__ = ["BoundPlugin"]

_CLASSIC = frozenset(point for point in HookPoint if not point.value.islower())


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundPlugin:
    """Hold a document that is in order, with the type it names and the hook points at which it fires.

    `timeout` is the seconds of its own time that the type has at one hook point, `parallel` the number of hosts it
    works on at once.
    """

    document: Plugin
    type: PluginType
    points: tuple[HookPoint, ...]
    timeout: float
    parallel: int
    selects: bool = True

    @property
    def name(self) -> str:
        """Give the name by which messages speak of it."""
        return self.document.name

    @property
    def notices(self) -> tuple[Problem, ...]:
        """Give what is worth telling of the document."""
        return self.document.notices

    @property
    def terms(self) -> str:
        """Say what the document asks for beyond the usual; empty when it asks for nothing."""
        document, retry = self.document, self.document.retry
        said = (
            f"order {document.order}" if document.order else "",
            f"timeout {document.timeout:g} s" if document.timeout else "",
            f"{retry.attempts} tries, {retry.backoff:g} s apart" if retry.attempts > 1 else "",
            f"{document.parallel} at once" if document.parallel else "",
            "a failure is ignored" if document.failure_policy == "Ignore" else "",
        )
        return ", ".join(filter(None, said))

    def scope(self, point: HookPoint) -> Scope:
        """Give the hosts that the document selects here.

        Classic names are selected by `on` and kebab names by `scope`; where only the other one is written, it is meant.
        """
        on, scope = self.document.on if self.selects else "", self.document.scope
        return Scope.parse((on or scope) if point in _CLASSIC else (scope or on))

    def selector(self, point: HookPoint) -> str:
        """Name the field that selects them: `on` or `scope`."""
        on, scope = self.selects and self.document.on, self.document.scope
        return "on" if on and (point in _CLASSIC or not scope) else "scope"
