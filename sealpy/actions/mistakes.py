"""Mistakes that are gathered from one check after the other, to be told together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sealpy.clusterfile.findings import refusal
from sealpy.errors import ConfigError, ImageError, Place, Problem, SealpyError, problems_of

__all__ = ["Mistakes"]


@dataclass(slots=True)
class Mistakes:
    """Gather errors of what the user gave; `name` is what messages call the file."""

    name: str
    errors: list[tuple[SealpyError, Place | None]] = field(default_factory=list)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Keep what is raised in the block instead of raising it."""
        try:
            yield
        except (ConfigError, ImageError) as error:
            self.add(error)

    def add(self, error: ConfigError | ImageError, *, place: Place | None = None) -> None:
        """Keep an error; `place` is where it stands if it does not say so itself."""
        self.errors.append((error, place))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Give everything that is wrong, each once."""
        found = (
            replace(problem, place=problem.place or place)
            for error, place in self.errors
            for problem in problems_of(error)
        )
        return tuple(dict.fromkeys(found))

    def check(self, *, unchecked: Sequence[Problem] = ()) -> None:
        """Raise what was gathered: the error itself when it is one, else one ClusterfileError with all problems.

        `unchecked` could not be checked because of an error that was gathered, and is told with it.
        """
        match self.errors:
            case []:
                return
            case [(error, _)] if not unchecked:
                raise error
            case [(ImageError() as error, _)]:
                raise type(error)(error.message, problems=(*error.problems, *unchecked), hint=error.hint) from error
            case [(first, _), *_]:
                raise refusal(self.name, (*self.problems, *unchecked)) from first
