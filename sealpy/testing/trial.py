"""Try plugins out as their authors do before anybody else: what they do, how long, and how they bear failures."""

from __future__ import annotations

import io
import shlex
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from pathlib import Path

from sealpy.errors import ConfigError, Place, PluginBrokenError, PluginError, Problem, SealpyError, did_you_mean
from sealpy.events import PluginOutput, StepFinished
from sealpy.plugin import Limits, PluginType, discover, read_directories
from sealpy.plugin.declaration import read_declaration
from sealpy.plugin.discovery import EXECUTABLE
from sealpy.plugin.manifest import SUFFIX
from sealpy.sdk import HookPoint, Result
from sealpy.testing.stage import Stage, cluster, document

__all__ = ["Kind", "Step", "Trial", "answers_of", "find_plugins", "try_plugins"]

Answers = Sequence[tuple[tuple[str, ...], str]]
Files = Sequence[tuple[str, bytes]]

_PATIENCE = 5.0  # seconds, where every command fails
_MAIN = "__main__.py"
_WORD = 40  # characters: a longer word of a command is a script, which nobody types again


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
    """Hold what came of one trial; `problem` is None when the plugin did well.

    `unanswered` are the first words of the commands that printed nothing because no answer was given for them;
    `broken` tells that the plugin ended by a mistake of its own, not by what it was asked to do.
    """

    plugin: str
    version: str
    kind: Kind
    point: str
    seconds: float
    steps: tuple[Step, ...]
    printed: tuple[str, ...]
    ended: str  # how the plugin ended: empty, or what it said
    unanswered: tuple[str, ...]
    broken: bool
    problem: Problem | None

    @property
    def story(self) -> object:
        """Give what two trials have in common that are told as one; hosts take turns as it happens."""
        return self.plugin, self.problem is None, sorted(map(str, self.steps)), sorted(self.printed), self.ended


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

    A file is taken with the manifest beside it, a directory with a `__main__.py` as the zipapp that it is to become.
    Raises PluginError.
    """
    path = Path(target)
    installed = discover()
    if not path.exists():
        try:
            return [installed.find(target)], ()
        except PluginError as error:
            hint = f"name a .py, a .pyz, a program, a directory, or an installed type; {error.hint}"
            raise PluginError(f"'{target}': no such file, and no such type", hint=hint) from error
    files = _files(path)
    known = {found.type for found in installed}
    types = [found for found in discover(files) if found.type not in known]
    if not types:
        raise PluginError(f"'{target}': no plugin is in there", hint=_instead(path))
    return types, files


def _files(path: Path) -> Files:
    if not path.is_dir():
        return [_read(path), *map(_read, _beside(path))]
    return [_zipped(path)] if (path / _MAIN).is_file() else read_directories([path])


def _instead(path: Path) -> str:
    """Say what else could have been named: the directories of plugins in there, or what a plugin is."""
    if (path / "pyproject.toml").is_file():
        return f"a package is installed first: pip install {path}, then name its type"
    below = sorted(map(str, path.iterdir())) if path.is_dir() else []
    directories = [name for name in below if Path(name).is_dir() and not Path(name).name.startswith((".", "_"))]
    if directories:
        return f"name one of the directories in it: {', '.join(directories)}"
    if path.is_file() and path.read_bytes().startswith(EXECUTABLE):
        return f"put the manifest of the program beside it: {path}{SUFFIX}"
    return "a plugin is a Python file with PluginType and Plugin, or a program with its manifest"


def _zipped(directory: Path) -> tuple[str, bytes]:
    """Pack a directory as `python3 -m zipapp` would; raises PluginError that names the file in it."""
    main, source = _read(directory / _MAIN)
    read_declaration(main, source)  # which is told with the file's place, not with one in an archive that is nowhere
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", strict_timestamps=False) as archive:  # `zipapp` refuses files from before 1980
        for path in sorted(directory.rglob("*")):
            inner = path.relative_to(directory)
            if not any(map(_is_private, inner.parts)):
                archive.write(path, inner.as_posix())
    return f"{directory.resolve().name}.pyz", packed.getvalue()


def _is_private(part: str) -> bool:
    return part.startswith(".") or part == "__pycache__"


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
    # the zipapp that a directory is to become is nowhere yet
    source = target if (Path(target) / _MAIN).is_file() else ""
    stands = [_Stand(found, files, data, answers, source or str(found.code)) for found in types]
    return [trial for stand in stands for trial in _tried(stand, at)]


def _tried(stand: _Stand, at: str) -> Iterator[Trial]:
    points = [HookPoint(at)] if at else stand.found.declaration.phases or (HookPoint.POST_INSTALL,)
    for point in points:
        for kind in Kind:
            yield stand.try_at(point, kind)


@dataclass(frozen=True, slots=True)
class _Stand:
    """Put one plugin on a stage of two machines; `source` is where the operator finds its code."""

    found: PluginType
    files: Files
    data: str
    answers: Answers
    source: str

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
        ended, broken, problem = "", False, None
        try:
            stage.fire(used, at=point)
        except SealpyError as error:
            ended, broken = _told(error), isinstance(error.__cause__, PluginBrokenError)
            # where commands fail a plugin may end by that
            if broken or kind is not Kind.FAILURES:
                problem = Problem(ended, Place(self.source), error.hint)
        return Trial(
            plugin=self.found.type,
            version=self.found.version,
            kind=kind,
            point=point,
            seconds=round(time.monotonic() - begun, 3),
            steps=tuple(Step(s.host, s.kind, s.title, s.error) for s in stage.of(StepFinished)),
            printed=tuple(event.line for event in stage.of(PluginOutput)),
            ended=ended,
            unanswered=() if kind is Kind.FAILURES else tuple(self._unanswered(stage)),
            broken=broken,
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

    def _unanswered(self, stage: Stage) -> list[str]:
        answered = [words for words, _ in self.answers]
        asked = (argv for commands in stage.commands().values() for argv in commands)
        return list(
            dict.fromkeys(_begin(argv) for argv in asked if not any(argv[: len(words)] == words for words in answered))
        )


def _begin(argv: Sequence[str]) -> str:
    """Give the words of a command that --answer can begin with: those before a script, or an equals sign."""
    return shlex.join([argv[0], *takewhile(lambda word: "=" not in word and len(word) <= _WORD, argv[1:])])


def _told(error: SealpyError) -> str:
    problems = getattr(error, "problems", ())
    return "; ".join(problem.message for problem in problems) or error.message
