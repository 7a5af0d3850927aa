"""Several problems of a Kubefile told as one error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sealpy.errors import KubefileError, Place, Problem, counted

__all__ = ["Problems"]


@dataclass(frozen=True, slots=True)
class Problems:
    """Collect the problems of one Kubefile."""

    file: Path | str
    found: list[Problem] = field(default_factory=list)

    @contextmanager
    def noted(self, at: Place) -> Iterator[None]:
        """Go on behind what raises KubefileError; `at` is its place when it does not say one."""
        try:
            yield
        except KubefileError as error:
            message = error.message.removeprefix(f"{error.place}: ")
            self.found.extend(error.problems or (Problem(message, error.place or at, error.hint),))

    def add(self, problems: Iterable[Problem]) -> None:
        """Note what others have found."""
        self.found.extend(problems)

    def refuse(self) -> None:
        """Raise KubefileError when there is any: one stands for itself, several are told once each, line by line."""
        match sorted(dict.fromkeys(self.found), key=_line):
            case []:
                return
            case [one]:
                raise KubefileError(one.message, place=one.place, hint=one.hint)
            case several:
                raise KubefileError(f"{self.file}: {counted(len(several), 'problem')}", problems=several)


def _line(problem: Problem) -> int:
    return problem.place.line if problem.place else 0
