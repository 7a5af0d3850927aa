"""What the trials of a plugin come to: which are alike, what is wrong, and what to give the plugin the next time."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sealpy.errors import Problem
from sealpy.testing.trial import Kind, Trial

__all__ = ["advice", "alike", "findings"]


def alike(trials: Iterable[Trial]) -> list[list[Trial]]:
    """Put trials of one story together, in the order in which the stories came up."""
    groups: list[list[Trial]] = []
    for trial in trials:
        group = next((group for group in groups if group[0].story == trial.story), None)
        if group is None:
            groups.append([trial])
        else:
            group.append(trial)
    return groups


def findings(trials: Iterable[Trial]) -> list[Problem]:
    """Tell each problem once and in one line, with all trials that it ended."""
    found: dict[Problem, list[Trial]] = {}
    for trial in trials:
        if trial.problem:
            found.setdefault(trial.problem, []).append(trial)
    return [
        replace(problem, message=f"{ended[0].plugin} at {_where(ended)}: {problem.message.splitlines()[0]}")
        for problem, ended in found.items()
    ]


def advice(trials: Sequence[Trial], *, data: str) -> str:
    """Say what to type next: what commands print, or what the document holds, where a plugin may have missed that."""
    failed = [trial for trial in trials if trial.problem]
    # where all went well, commands that only read: what the others print is seldom looked at
    silent = failed or [trial for trial in trials if trial.kind is Kind.REHEARSAL and _reads(trial)]
    typed = dict.fromkeys(f"{words}={_form(words)}" for trial in silent for words in trial.unanswered)
    if typed:
        told = " ".join(f"--answer {shlex.quote(word)}" for word in typed)
        return f"its commands print nothing here; say what they print: {told}"
    if not data.strip() and any(not trial.broken for trial in failed):
        return "say what its document would hold as data: --data TEXT, or --data @FILE"
    return ""


def _form(words: str) -> str:
    """Say what a command prints: JSON where one of its words asks for it."""
    return "JSON" if "json" in shlex.split(words) else "TEXT"


def _reads(trial: Trial) -> bool:
    return any(step.kind in {"ask", "fetch"} for step in trial.steps)


def _where(trials: Iterable[Trial]) -> str:
    """Name hook points and kinds: `PostInstall, PostJoin (rehearsal, run)`."""
    kinds: dict[str, list[str]] = {}
    for trial in trials:
        kinds.setdefault(trial.point, []).append(trial.kind)
    points: dict[str, list[str]] = {}
    for point, of in kinds.items():
        points.setdefault(", ".join(of), []).append(point)
    return "; ".join(f"{', '.join(at)} ({of})" for of, at in points.items())
