"""Many files as one tar stream, straight out of the blobs of the store: nothing is unpacked, nothing is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sealpy.errors import ImageError
from sealpy.image.tarball import END, Member, Range, header, padding, tar_size

__all__ = ["Item", "Range", "TreePayload"]

_PIECE = 64 * 1024  # what SSH takes best; see Payload.chunks


@dataclass(frozen=True, slots=True)
class Item:
    """Put a member of the stream together with its bytes; directories and symlinks have none."""

    member: Member
    source: Range | bytes = b""


class TreePayload:
    """Be the deterministic tar of some items, in their order; parents must stand before children."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = tuple(items)
        for item in self._items:
            if isinstance(item.source, bytes) and item.member.kind == "file" and item.member.size != len(item.source):
                raise ValueError(f"{item.member.path}: {item.member.size} bytes announced, {len(item.source)} given")
        self._size = tar_size(item.member for item in self._items)

    @property
    def size(self) -> int:
        """Give the number of bytes that `chunks` yields."""
        return self._size

    def chunks(self) -> Iterator[bytes]:
        """Yield the tar in pieces of at most 64 KiB; raises ImageError when a blob ends too early."""
        small = bytearray()  # headers and little files, until they fill a piece
        for piece in self._pieces():
            if len(small) + len(piece) > _PIECE:
                yield bytes(small)
                small.clear()
            if len(piece) == _PIECE:
                yield piece
            else:
                small += piece
        yield bytes(small)

    def _pieces(self) -> Iterator[bytes]:
        with ExitStack() as stack:
            at, descriptor = Path(), -1
            for item in self._items:
                yield header(item.member)
                match item.source:
                    case bytes(data):
                        yield from (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
                    case Range(file, offset):
                        if file != at:  # neighbours in the list mostly stand in the same blob
                            stack.close()
                            at, descriptor = file, stack.enter_context(file.open("rb", buffering=0)).fileno()
                        yield from _read(descriptor, offset, size=item.member.size, file=file)
                yield padding(item.member.size)
        yield END


def _read(descriptor: int, offset: int, *, size: int, file: Path) -> Iterator[bytes]:
    end = offset + size
    while offset < end:
        piece = os.pread(descriptor, min(end - offset, _PIECE), offset)
        if not piece:
            raise ImageError(f"{file}: ends too early", hint="the store is damaged: load the image again")
        yield piece
        offset += len(piece)
