"""What packages are in a file, a layer, a root file system; read once, piece by piece."""

from __future__ import annotations

import mmap
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Final

from sealpy.errors import ImageError
from sealpy.image.tarball import Range
from sealpy.image.trust.packages import GO_MAGIC, Package, go_packages, is_database, read_database

__all__ = ["SMALLEST_PROGRAM", "Layer", "packages_of_layers", "program_packages", "read_layer"]

SMALLEST_PROGRAM: Final = 1 << 16
"""Bytes that every program of Go has, and most other files have not."""

_PIECE: Final = 1 << 20
_NOTE: Final = 1 << 20  # bytes behind the magic that hold the whole note of any program
_ALIGNED: Final = 16
_ELF: Final = b"\x7fELF"
_LONGEST_DATABASE: Final = 64 << 20
_WHITEOUT: Final = ".wh."


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold what a layer has of interest, by path: databases of packages, packages of programs, paths it removes."""

    databases: Mapping[str, str]
    programs: Mapping[str, tuple[Package, ...]]
    removed: tuple[str, ...] = ()


def program_packages(place: Range, size: int) -> tuple[Package, ...]:
    """Read what a program on this machine was built from; nothing for what is no program of Go."""
    with place.file.open("rb") as file:
        file.seek(place.offset)
        if size < SMALLEST_PROGRAM or file.read(4) != _ELF:
            return ()
        page = place.offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        skip = place.offset - page
        with mmap.mmap(file.fileno(), skip + size, access=mmap.ACCESS_READ, offset=page) as view:
            at = view.find(GO_MAGIC, skip)
            while at >= 0:
                if (at - skip) % _ALIGNED == 0 and (found := tuple(go_packages(view[at : at + _NOTE]))):
                    return found
                at = view.find(GO_MAGIC, at + 1)
    return ()


def read_layer(file: IO[bytes], *, what: str) -> Layer:
    """Read a layer, compressed by gzip or plain; raises ImageError for what is no tar."""
    databases: dict[str, str] = {}
    programs: dict[str, tuple[Package, ...]] = {}
    removed = []
    try:
        with tarfile.open(fileobj=file, mode="r|*", bufsize=_PIECE) as tar:
            for info in tar:
                path = info.name.lstrip("./")
                directory, _, name = path.rpartition("/")
                if name.startswith(_WHITEOUT):
                    removed.append(f"{directory}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
                elif info.isfile() and (content := tar.extractfile(info)):
                    if is_database(path) and info.size <= _LONGEST_DATABASE:
                        databases[path] = content.read().decode(errors="replace")
                    elif found := _streamed(content):
                        programs[path] = found
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ImageError(f"{what}: cannot be read: {error}", hint="get the image again") from error
    return Layer(databases, programs, tuple(removed))


def _streamed(content: IO[bytes]) -> tuple[Package, ...]:
    """Look for the note of Go in a program that comes piece by piece."""
    window = content.read(4)
    if window != _ELF:
        return ()
    before = 0  # bytes of the program in front of the window
    while piece := content.read(_PIECE):
        window += piece
        at = window.find(GO_MAGIC)
        while at >= 0:
            if (before + at) % _ALIGNED == 0:
                window += content.read(max(0, at + _NOTE - len(window)))
                if found := tuple(go_packages(window[at:])):
                    return found
            at = window.find(GO_MAGIC, at + 1)
        before += len(window) - len(GO_MAGIC)
        window = window[-len(GO_MAGIC) :]
    return ()


def packages_of_layers(layers: Iterable[Layer]) -> Iterator[Package]:
    """Give the packages of a root file system, its layers laid over each other from bottom to top; some come twice."""
    databases: dict[str, str] = {}
    programs: dict[str, tuple[Package, ...]] = {}
    for layer in layers:
        for path in layer.removed:
            databases.pop(path, None)
            programs.pop(path, None)
        databases |= layer.databases
        programs |= layer.programs
    yield from read_database(databases)
    for found in programs.values():
        yield from found
