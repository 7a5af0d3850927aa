"""A hook point as a phase: fire the plugins that belong to it, one after the other, on the hosts each is for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from sealpy.context import Context
from sealpy.engine import Executor, Phase
from sealpy.events import HookFinished, HookStarted
from sealpy.plugin.bound import BoundPlugin
from sealpy.plugin.firing import Firing
from sealpy.plugin.limits import Limits
from sealpy.plugin.operation import Operation
from sealpy.sdk import HookPoint

__all__ = ["Hook"]


class Hook(Phase[Context]):
    """Fire the plugins of one hook point."""

    def __init__(self, point: HookPoint, plugins: Iterable[BoundPlugin], *, limits: Limits | None = None) -> None:
        self.point = point
        self.plugins = tuple(plugin for plugin in plugins if point in plugin.points)
        self._limits = limits

    @property
    def name(self) -> str:
        """Give the name of the hook point, as users write it."""
        return self.point.value

    @property
    def title(self) -> str:
        """Give the name of the hook point, as users write it."""
        return f"hook {self.point.value}"

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Fire every plugin; raises PluginFailedError for the first that fails, after its other hosts have finished."""
        if self.plugins:
            self.fire(partial(Operation.of, ctx), executor)

    def fire(self, operation: Callable[[], Operation], executor: Executor) -> None:
        """Fire every plugin of this point, each in the operation as it is by then: hosts may have been left out."""
        begun = time.monotonic()
        executor.emit(HookStarted(hook=self.name, plugins=tuple(plugin.name for plugin in self.plugins)))
        for plugin in self.plugins:
            executor.check_interrupted()
            Firing(plugin, self.point, operation(), executor, self._limits_of(plugin)).run()
        executor.emit(HookFinished(hook=self.name, seconds=time.monotonic() - begun))

    def _limits_of(self, plugin: BoundPlugin) -> Limits:
        """Give the plugin the time that it asks for, unless this hook allows less."""
        limits = self._limits or Limits(deadline=plugin.timeout)
        return replace(limits, deadline=min(limits.deadline, plugin.timeout))
