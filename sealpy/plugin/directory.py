"""Plugin files of a directory on this machine, which must be nobody else's to change."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sealpy.errors import Place, PluginError, Problem, counted

__all__ = ["read_directories"]

_LARGEST = 64 * 1024 * 1024  # bytes of one file


def read_directories(directories: Iterable[Path]) -> list[tuple[str, bytes]]:
    """Give path and content of the files in these directories, by name; hidden ones and directories are passed over.

    Raises one PluginError with everything that somebody else than the operator and root could change.
    """
    problems: list[Problem] = []
    files = [file for directory in directories for file in _read(directory, problems)]
    if problems:
        raise PluginError(f"{counted(len(problems), 'problem')} with plugin files", problems=problems)
    return files


def _read(directory: Path, problems: list[Problem]) -> Iterator[tuple[str, bytes]]:
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        problems.append(Problem(reason, Place(directory), "look at the path after --plugins-dir"))
        return
    problems.extend(_doubts(directory))
    for path in paths:
        if path.name.startswith(".") or path.is_dir():
            continue
        doubts: Sequence[Problem] = list(_file_doubts(path, directory))
        problems.extend(doubts)
        if not doubts:
            yield str(path), path.read_bytes()


def _file_doubts(path: Path, directory: Path) -> Iterator[Problem]:
    if not path.resolve().is_relative_to(directory.resolve()):
        yield Problem("a link that leads out of the directory", Place(path), "copy the file")
    elif not path.is_file():
        yield Problem("no file", Place(path), "take it away")
    elif path.stat().st_size > _LARGEST:
        yield Problem(
            f"more than {_LARGEST // 2**20} MiB", Place(path), "a plugin is small; its data belongs elsewhere"
        )
    else:
        yield from _doubts(path)


def _doubts(path: Path) -> Iterator[Problem]:
    found = path.stat()
    if found.st_uid not in {0, os.geteuid()}:
        yield Problem("belongs to somebody else, who could change it", Place(path), f"chown it: chown $USER {path}")
    if found.st_mode & stat.S_IWOTH:
        yield Problem("everybody on this machine can change it", Place(path), f"chmod o-w {path}")
