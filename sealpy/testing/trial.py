"""Try plugins out as their authors do before anybody else: what they do, how long, and how they bear failures."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sealpy.errors import ConfigError, Place, PluginBrokenError, PluginError, Problem, SealpyError, did_you_mean
from sealpy.events import PluginOutput, StepFinished
from sealpy.plugin import Limits, PluginType, discover, read_directories
from sealpy.plugin.manifest import SUFFIX
from sealpy.sdk import HookPoint, Result
from sealpy.testing.stage import Stage, cluster, document

__all__ = ["Kind", "Step", "Trial", "answers_of", "find_plugins", "try_plugins"]

Answers = Sequence[tuple[tuple[str, ...], str]]
Files = Sequence[tuple[str, bytes]]

_PATIENCE = 5.0  # seconds, where every command fails


class Kind(StrEnum):
    """Say what a trial is about: a plan, a run, a run in which every command fails."""

    REHEARSAL = "rehearsal"
    RUN = "run"
    FAILURES = "failures"


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one step that the plugin asked for."""

    host: str
    kind: str
    title: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Hold what came of one trial; `problem` is None when the plugin did well."""

    plugin: str
    version: str
    kind: Kind
    point: str
    seconds: float
    steps: tuple[Step, ...]
    printed: tuple[str, ...]
    ended: str  # how the plugin ended: empty, or what it said
    problem: Problem | None


def answers_of(texts: Iterable[str]) -> Answers:
    """Read `kubectl get nodes=node/n1` into the words of a command and what it prints; raises ConfigError."""
    found = []
    for text in texts:
        words, sign, printed = text.partition("=")
        if not sign or not words.strip():
            raise ConfigError(f"--answer: '{text}' is not WORDS=TEXT", hint="such as --answer 'kubectl get=node/n1'")
        try:
            found.append((tuple(shlex.split(words)), printed.replace("\\n", "\n")))
        except ValueError as error:
            problem = str(error).lower()
            raise ConfigError(f"--answer: '{text}': {problem}", hint="quote WORDS as in a shell") from None
    return found


def find_plugins(target: str) -> tuple[list[PluginType], Files]:
    """Find the types in a file or directory, or one that is installed by its name; gives the files that they need.

    A file is taken with the manifest beside it. Raises PluginError.
    """
    path = Path(target)
    installed = discover()
    if not path.exists():
        try:
            return [installed.find(target)], ()
        except PluginError as error:
            hint = f"name a .py, a .pyz, a program, a directory, or an installed type; {error.hint}"
            raise PluginError(f"'{target}': no such file, and no such type", hint=hint) from error
    files = read_directories([path]) if path.is_dir() else [_read(path), *map(_read, _beside(path))]
    known = {found.type for found in installed}
    types = [found for found in discover(files) if found.type not in known]
    if not types:
        raise PluginError(
            f"'{target}': no plugin is in there",
            hint="a Python file with PluginType and Plugin, a program with its manifest; a package is installed first",
        )
    return types, files


def _beside(path: Path) -> list[Path]:
    manifest = path.with_name(path.name + SUFFIX)
    return [manifest] if manifest.exists() else []


def _read(path: Path) -> tuple[str, bytes]:
    try:
        return str(path), path.read_bytes()
    except OSError as error:
        raise PluginError(f"'{path}': {(error.strerror or 'cannot be read').lower()}") from error


def try_plugins(target: str, *, at: str = "", data: str = "", answers: Answers = ()) -> list[Trial]:
    """Try every type that is found, at the hook points that it names or at one; raises PluginError for none."""
    if at and at not in {point.value for point in HookPoint}:
        points = [point.value for point in HookPoint]
        raise PluginError(f"hook point '{at}' is not known", hint=did_you_mean(at, points) or ", ".join(points))
    types, files = find_plugins(target)
    return [trial for found in types for trial in _tried(found, files, at, data, answers)]


def _tried(found: PluginType, files: Files, at: str, data: str, answers: Answers) -> Iterator[Trial]:
    points = [HookPoint(at)] if at else found.declaration.phases or (HookPoint.POST_INSTALL,)
    for point in points:
        for kind in Kind:
            yield _Stand(found, files, data, answers).try_at(point, kind)


@dataclass(frozen=True, slots=True)
class _Stand:
    """Put one plugin on a stage of two machines."""

    found: PluginType
    files: Files
    data: str
    answers: Answers

    def try_at(self, point: HookPoint, kind: Kind) -> Trial:
        stage = Stage(
            inventory=cluster(masters=("10.0.0.1",), nodes=("10.0.0.2",)),
            files=list(self.files),
            limits=Limits(deadline=self.found.declaration.timeout),
            rehearsal=kind is Kind.REHEARSAL,
        )
        self._script(stage, kind)
        patience = _PATIENCE if kind is Kind.FAILURES else 0.0
        used = document(type_=self.found.type, actions=(point,), data=self.data, timeout=patience)
        begun = time.monotonic()
        ended, problem = "", None
        try:
            stage.fire(used, at=point)
        except SealpyError as error:
            ended = _told(error)
            problem = self._judge(kind, point, error)
        return Trial(
            plugin=self.found.type,
            version=self.found.version,
            kind=kind,
            point=point,
            seconds=round(time.monotonic() - begun, 3),
            steps=tuple(Step(s.host, s.kind, s.title, s.error) for s in stage.of(StepFinished)),
            printed=tuple(event.line for event in stage.of(PluginOutput)),
            ended=ended,
            problem=problem,
        )

    def _script(self, stage: Stage, kind: Kind) -> None:
        """Let commands succeed and print what was asked for; in the last trial let all of them fail."""
        for machine in stage.machines.values():
            if kind is Kind.FAILURES:
                machine.default = Result(exit_status=1, stderr=b"this machine lets every command fail")
                continue
            for words, text in self.answers:
                machine.on(*words, stdout=text)

    def _judge(self, kind: Kind, point: HookPoint, error: SealpyError) -> Problem | None:
        """Where commands fail a plugin may end by that, but not by a mistake of its own."""
        if kind is Kind.FAILURES and not isinstance(error.__cause__, PluginBrokenError):
            return None
        message = f"{self.found.type} at {point}, {kind}: {_told(error)}"
        return Problem(message, Place(str(self.found.code)), error.hint)


def _told(error: SealpyError) -> str:
    problems = getattr(error, "problems", ())
    return "; ".join(problem.message for problem in problems) or error.message
