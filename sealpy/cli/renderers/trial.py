"""How a plugin did on machines that only pretend, as text: each trial, its steps, the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sealpy.cli.renderers.lines import without
from sealpy.cli.renderers.units import duration
from sealpy.errors import counted

if TYPE_CHECKING:
    from sealpy.testing.trial import Step, Trial

__all__ = ["render_trials"]


def render_trials(stories: Sequence[Sequence[Trial]], *, advice: str) -> str:
    """Write each story, which is the trials that went alike, with steps and what the plugin printed; then the verdict.

    When all went well the advice stands below it; else the error brings it.
    """
    told = [line for group in stories for line in _story(group)]
    trials = [trial for group in stories for trial in group]
    failed = len([trial for trial in trials if trial.problem])
    if failed:
        return "\n".join([*told, f"{failed} of {counted(len(trials), 'trial')} failed"])
    idle = not any(trial.steps or trial.printed for trial in trials)
    note = ", in which it did nothing: no step, and nothing printed" if idle else ""
    return "\n".join([*told, f"good: {counted(len(trials), 'trial')}{note}", *filter(None, [advice])])


def _story(group: Sequence[Trial]) -> Iterator[str]:
    for trial in group:
        version = f" {trial.version}" if trial.version else ""
        mark = "✗" if trial.problem else "✓"
        yield f"{mark} {trial.plugin}{version} at {trial.point}, {trial.kind}: {duration(trial.seconds)}"
    told = group[0]
    yield from (f"    {_step(step)}" for step in told.steps)
    yield from (f"    │ {line}" for line in told.printed)
    if told.ended:
        yield f"    ended: {told.ended}"
    yield ""


def _step(step: Step) -> str:
    failed = f" … {without(step.host, step.error)}" if step.error else ""
    return f"{step.host or 'this machine'}  {step.kind}  {step.title}{failed}"
