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


def render_trials(trials: Sequence[Trial]) -> str:
    """Write each trial with its steps and what the plugin printed, then the verdict."""
    failed = len([trial for trial in trials if trial.problem])
    verdict = (
        f"{failed} of {counted(len(trials), 'trial')} failed" if failed else f"good: {counted(len(trials), 'trial')}"
    )
    return "\n".join([*(line for trial in trials for line in _trial(trial)), verdict])


def _trial(trial: Trial) -> Iterator[str]:
    version = f" {trial.version}" if trial.version else ""
    mark = "✗" if trial.problem else "✓"
    yield f"{mark} {trial.plugin}{version} at {trial.point}, {trial.kind}: {duration(trial.seconds)}"
    yield from (f"    {_step(step)}" for step in trial.steps)
    yield from (f"    │ {line}" for line in trial.printed)
    if trial.ended:
        yield f"    ended: {trial.ended}"
    yield ""


def _step(step: Step) -> str:
    failed = f" … {without(step.host, step.error)}" if step.error else ""
    return f"{step.host or 'this machine'}  {step.kind}  {step.title}{failed}"
