"""Read from a program or library which libraries it loads, without running it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

__all__ = ["needed", "with_libraries"]

_MAGIC = b"\x7fELF\x02\x01"  # 64 bit, little endian: all that Kubernetes runs on today
_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRINGS = 1, 5


def needed(file: Path) -> tuple[str, ...]:
    """Give the names of the libraries a file asks for, its loader's among them; none if it is static or no program."""
    data = file.read_bytes()
    if not data.startswith(_MAGIC):
        return ()
    segments = list(_segments(data))
    names = [Path(_text(data, start)).name for kind, start, _, _ in segments if kind == _INTERPRETER]
    for kind, start, size, _ in segments:
        if kind == _DYNAMIC:
            tags = list(struct.iter_unpack("<QQ", data[start : start + size]))
            strings = next(_file_offset(segments, value) for tag, value in tags if tag == _STRINGS)
            names += [_text(data, strings + value) for tag, value in tags if tag == _NEEDED]
    return tuple(names)


def with_libraries(files: list[Path], libraries: dict[str, Path]) -> list[Path]:
    """Give the files and every library they load, and those load; raises KeyError with the name of one not at hand."""
    found: dict[Path, None] = {}
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found[file] = None
            waiting += [libraries[name] for name in needed(file)]
    return list(found)


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield kind, offset in the file, size and address in memory of each segment."""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for at in range(table, table + size * count, size):
        kind, _flags, offset, address, _physical, length = struct.unpack_from("<IIQQQQ", data, at)
        yield kind, offset, length, address


def _file_offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    return next(
        offset + address - start
        for kind, offset, size, start in segments
        if kind == _LOAD and start <= address < start + size
    )


def _text(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode()
