"""What was found in layers and programs, by their digests, so that nothing is looked into twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from sealpy.disk import make_private, write_whole
from sealpy.image.trust.contents import Layer
from sealpy.image.trust.packages import Package

__all__ = ["Memory"]

_T = TypeVar("_T")
_VERSION = "2"  # goes up when more is found than before
_PROGRAM = TypeAdapter(tuple[Package, ...])
_LAYER = TypeAdapter(Layer)


class Memory:
    """Keep findings below one directory; it may be removed at any time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / _VERSION
        self._root = directory

    def program(self, sha256: str, find: Callable[[], tuple[Package, ...]]) -> tuple[Package, ...]:
        """Give the packages of a program, found now or before."""
        return self._known(f"program-{sha256}", _PROGRAM, find)

    def layer(self, digest: str, find: Callable[[], Layer]) -> Layer:
        """Give what is in a layer, found now or before; what `find` raises is not kept."""
        return self._known(digest.replace(":", "-"), _LAYER, find)

    def clear(self) -> int:
        """Forget everything; gives the bytes that became free."""
        size = sum(path.stat().st_size for path in self._root.rglob("*") if path.is_file())
        shutil.rmtree(self._root, ignore_errors=True)
        return size

    def _known(self, name: str, kind: TypeAdapter[_T], find: Callable[[], _T]) -> _T:
        path = self._directory / f"{name}.json"
        with suppress(FileNotFoundError, ValidationError):
            return kind.validate_json(path.read_bytes())
        found = find()
        with suppress(OSError):  # a full disk costs the time of looking again, nothing else
            make_private(self._directory)
            write_whole(path, kind.dump_json(found))
        return found
