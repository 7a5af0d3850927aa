"""Mistakes that are gathered from one check after the other, to be told together."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

from sealpy.clusterfile import Readable
from sealpy.clusterfile.findings import refusal
from sealpy.errors import ConfigError, ImageError, Place, Problem, problems_of

__all__ = ["Mistakes"]


@dataclass(slots=True)
class Mistakes:
    """Gather errors of what the user gave.

    `name` is what messages call the file, and `image_place` where it names the image: no error of an image says so.
    """

    name: str
    image_place: Place | None = None
    errors: list[ConfigError | ImageError] = field(default_factory=list)

    @classmethod
    def of(cls, read: Readable) -> Self:
        """Begin to gather those of a file."""
        return cls(read.name, read.image_place)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Keep what is raised in the block instead of raising it."""
        try:
            yield
        except (ConfigError, ImageError) as error:
            self.add(error)

    def add(self, error: ConfigError | ImageError) -> None:
        """Keep an error, unless all that it says was told before."""
        told = {problem for known in self.errors for problem in problems_of(known)}
        if not told.issuperset(problems_of(error)):
            self.errors.append(error)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Give everything that is wrong, each once."""
        found = (
            replace(problem, place=problem.place or (self.image_place if isinstance(error, ImageError) else None))
            for error in self.errors
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
            case [ImageError() as error]:
                raise self._placed(error, unchecked) from error
            case [error] if not unchecked:
                raise error
            case [first, *_]:
                raise refusal(self.name, (*self.problems, *unchecked)) from first

    def _placed(self, error: ImageError, unchecked: Sequence[Problem]) -> ImageError:
        """Give the error of an image, which stays what it is, with its place."""
        placed = copy.copy(error)
        placed.message = f"{self.image_place}: {error.message}" if self.image_place else error.message
        placed.args = (placed.message,)
        placed.problems = (*error.problems, *unchecked)
        return placed
