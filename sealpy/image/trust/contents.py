"""What packages are in a file, a layer, a root file system; read once, piece by piece."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Final

from sealpy.errors import ImageError
from sealpy.image.tarball import Range
from sealpy.image.trust.packages import GO_MAGIC, Package, go_packages, is_database, read_database
from sealpy.image.trust.rpm import LOG, NotRpmError, is_old_rpm, is_rpm, read_rpm

__all__ = ["SMALLEST_PROGRAM", "Layer", "Part", "laid_over", "packages_of_layers", "program_packages", "read_layer"]

SMALLEST_PROGRAM: Final = 1 << 16
"""Bytes that every program of Go has, and most other files have not."""

_PIECE: Final = 1 << 20
_NOTE: Final = 1 << 20  # bytes behind the magic that hold the whole note of any program
_ALIGNED: Final = 16
_ELF: Final = b"\x7fELF"
_LONGEST_DATABASE: Final = 64 << 20
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..opq"  # behind the first mark: all that other layers had in the directory is gone


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold what a layer has of interest, by path: databases of packages, packages of programs, paths it removes.

    `unread` says why a database was not read.
    """

    databases: Mapping[str, str]
    programs: Mapping[str, tuple[Package, ...]]
    removed: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


class Part(io.BufferedReader):
    """Read a part of a file as if it were one."""

    def __init__(self, place: Range, size: int) -> None:
        super().__init__(io.FileIO(place.file))
        self.seek(place.offset)
        self._left = size

    def read(self, size: int | None = -1, /) -> bytes:
        """Give the next bytes, fewer than asked for at the end of the part."""
        data = super().read(self._left if size is None or size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def program_packages(place: Range, size: int) -> tuple[Package, ...]:
    """Read what a program on this machine was built from; nothing for what is no program of Go."""
    if size < SMALLEST_PROGRAM:
        return ()
    with Part(place, size) as part:
        return _streamed(part)


def read_layer(file: IO[bytes], *, what: str) -> Layer:
    """Read a layer, compressed by gzip or plain; raises ImageError for what is no tar."""
    found = _Finds()
    try:
        with tarfile.open(fileobj=file, mode="r|*", bufsize=_PIECE) as tar:
            for info in tar:
                path = info.name.lstrip("./")
                directory, _, name = path.rpartition("/")
                if name.startswith(_WHITEOUT):
                    found.removed.append(f"{directory}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
                elif info.isfile() and (content := tar.extractfile(info)):
                    found.file(path, info.size, content)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ImageError(f"{what}: cannot be read: {error}", hint="get the image again") from error
    return found.layer()


@dataclass(frozen=True, slots=True)
class _Finds:
    """Collect what is in one layer."""

    databases: dict[str, str] = field(default_factory=dict)
    programs: dict[str, tuple[Package, ...]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    rpm: dict[str, bytes] = field(default_factory=dict)

    def file(self, path: str, size: int, content: IO[bytes]) -> None:
        """Look into a file."""
        if is_old_rpm(path):
            self.unread[path] = "a database of RPM in an older form"
        elif (is_database(path) or is_rpm(path)) and size > _LONGEST_DATABASE:
            self.unread[path] = "too long for a database of packages"
        elif is_rpm(path):
            self.rpm[path] = content.read()
        elif is_database(path):
            self.databases[path] = content.read().decode(errors="replace")
        elif packages := _streamed(content):
            self.programs[path] = packages

    def layer(self) -> Layer:
        """Give all of it; databases of RPM are read now that the logs beside them are here too."""
        for path in sorted(path for path in self.rpm if not path.endswith(LOG)):
            files = {name.rpartition("/")[2]: data for name, data in self.rpm.items() if name.startswith(path)}
            try:
                self.databases[path] = read_rpm(files)
            except NotRpmError as error:
                self.unread[path] = str(error)
        return Layer(self.databases, self.programs, tuple(self.removed), self.unread)


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
    root = laid_over(layers)
    yield from read_database(root.databases)
    for found in root.programs.values():
        yield from found


def laid_over(layers: Iterable[Layer]) -> Layer:
    """Make one layer of those of a root file system, from bottom to top."""
    databases: dict[str, str] = {}
    programs: dict[str, tuple[Package, ...]] = {}
    unread: dict[str, str] = {}
    for layer in layers:
        for path in [one for one in (*databases, *programs, *unread) if _is_gone(one, layer)]:
            for known in (databases, programs, unread):
                known.pop(path, None)
        databases |= layer.databases
        programs |= layer.programs
        unread |= layer.unread
    return Layer(databases, programs, unread=unread)


def _is_gone(path: str, layer: Layer) -> bool:
    """Tell whether a layer removes what another had at a path, or puts a database of its own there.

    Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#whiteouts
    """
    if path in layer.databases or path in layer.unread:
        return True
    for gone in layer.removed:
        directory = gone.removesuffix(_OPAQUE) if gone.endswith(_OPAQUE) else f"{gone}/"
        if path == gone or path.startswith(directory):
            return True
    return False
