"""The time that a document gives a plugin for its work, with all its steps."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sealpy.errors import PluginError
from sealpy.sdk import Ask, On, Run, Send, Step, Wait

__all__ = ["Deadline"]

_LEAST = 0.1  # seconds; a step that is begun is given as much

Timed = Ask | Run | Wait | Send


@dataclass(frozen=True, slots=True)
class Deadline:
    """Be the moment at which work must have ended: `seconds` from now; 0 sets no limit."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin now."""
        object.__setattr__(self, "begun", self.clock())

    def bound(self, step: Step) -> Step:
        """Give a step no more time than is left; raises PluginError when none is."""
        if not self.seconds:
            return step
        left = self.seconds - (self.clock() - self.begun)
        if left <= 0:
            raise PluginError(
                f"was ended: it used up the {self.seconds:g} s that its document gives it",
                hint="give it a longer 'timeout', if it needs one",
            )
        match step:
            case On(address=address, step=Ask() | Run() | Wait() | Send() as inner):
                return On(address, _within(inner, left))
            case Ask() | Run() | Wait() | Send():
                return _within(step, left)
            case _:
                return step


def _within(step: Timed, left: float) -> Timed:
    if step.timeout <= left:
        return step
    shorter = copy.copy(step)
    object.__setattr__(shorter, "timeout", max(round(left, 1), _LEAST))  # steps are made by words, not by field
    return shorter
