"""Keep what was made, by name, version and recipe; an entry is whole or not there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cache", "Entry"]

_UNFINISHED = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Entry:
    """Name one thing in the cache; its directory exists if and only if it is whole."""

    directory: Path

    @property
    def exists(self) -> bool:
        """Tell whether it was made already."""
        return self.directory.is_dir()

    def make(self, build: Callable[[Path], None]) -> None:
        """Let `build` fill a directory under a temporary name, then give it this entry's name."""
        with _scratch(self.directory.parent) as scratch:
            result = scratch / "result"
            result.mkdir()
            build(result)
            result.rename(self.directory)


@dataclass(frozen=True, slots=True)
class Cache:
    """Keep entries below one directory."""

    root: Path

    @property
    def downloads(self) -> Path:
        """Give the directory of files as they were published."""
        return self.root / "downloads"

    def entry(self, name: str, version: str, *, recipe: object) -> Entry:
        """Name the entry of a thing; another recipe (anything JSON can say) is another entry."""
        text = json.dumps(recipe, sort_keys=True, default=str)
        return Entry(self.root / f"{name}-{version}-{hashlib.sha256(text.encode()).hexdigest()[:12]}")

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give an empty directory to work in, gone afterwards."""
        with _scratch(self.root) as directory:
            yield directory

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out until the end, and sweep away what a killed one left half made."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in self.root.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(leftover)
            yield


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_UNFINISHED) as directory:
        yield Path(directory)
