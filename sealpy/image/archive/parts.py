"""A long file in parts, for sticks and file systems that do not take it whole.

    kubernetes.tar.001  kubernetes.tar.002  …     the bytes, to be put together by `cat` as well
    kubernetes.tar.sha256                         one line for each part, as `sha256sum --check` reads them

They get their names together when all are whole, and the list is the last of them.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sealpy.disk import write_whole
from sealpy.errors import ConfigError, ImageError, Problem, counted
from sealpy.image.beside import directory_beside
from sealpy.image.tarball import PIECE, Chain, Range, read

__all__ = ["Part", "Parts", "PartsWriter"]

_LIST = ".sha256"
_NUMBER = re.compile(r"\.[0-9]{3,}$")
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>[^/]+\.[0-9]{3,})")
_SIZES = re.compile(r"# part size (?P<part>[0-9]+), total (?P<total>[0-9]+)")
_COPY_AGAIN = "copy {} again, then load again: what was verified is not read twice"


@dataclass(frozen=True, slots=True)
class Part:
    """Hold one part: where it is, its bytes and their sha256 as the list says them."""

    path: Path
    size: int
    sha256: str


class PartsWriter:
    """Write a stream as parts of at most `size` bytes beside each other; use it as a context, then all or none stay."""

    def __init__(self, out: Path, size: int) -> None:
        self._out = out
        self._most = size
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._free = 0
        self._total = 0
        self._done: list[Part] = []
        self._stack = ExitStack()
        self._beside = out

    def __enter__(self) -> Self:
        before = sorted(self._out.parent.glob(f"{_escaped(self._out.name)}.[0-9][0-9][0-9]*"))
        before += [path for path in [_list_of(self._out)] if path.exists()]
        if before:
            hint = f"take away {self._out.name}.* first, or give another name"
            raise ConfigError(f"{before[0]}: parts of this name are there already", hint=hint)
        self._beside = self._stack.enter_context(directory_beside(self._out))
        return self

    def write(self, data: bytes) -> None:
        """Append bytes, in as many parts as they need."""
        rest = memoryview(data)
        while rest:
            if not self._file:
                self._begin()
            piece, rest = rest[: self._free], rest[self._free :]
            self._hash.update(piece)
            self._file.write(piece)  # type: ignore[union-attr] # begun above
            self._free -= len(piece)
            if not self._free:
                self._end()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._stack:
            if kind is None:
                self._end()
                for part in self._done:
                    (self._beside / part.path.name).replace(part.path)
                write_whole(_list_of(self._out), self._listing(), mode=0o644)
            elif self._file:
                self._file.close()

    @property
    def parts(self) -> tuple[Path, ...]:
        """Give the parts that are whole."""
        return tuple(part.path for part in self._done)

    @property
    def total(self) -> int:
        """Count the bytes of all parts."""
        return self._total

    def _begin(self) -> None:
        self._file = (self._beside / _part_of(self._out, len(self._done) + 1).name).open("xb")
        self._hash = hashlib.sha256()
        self._free = self._most

    def _end(self) -> None:
        if self._file:
            os.fsync(self._file.fileno())
            size = self._file.tell()
            self._file.close()
            self._done.append(Part(_part_of(self._out, len(self._done) + 1), size, self._hash.hexdigest()))
            self._total += size
            self._file = None

    def _listing(self) -> str:
        lines = [f"# part size {self._most}, total {self._total}"]
        lines += [f"{part.sha256}  {part.path.name}" for part in self._done]
        return "".join(f"{line}\n" for line in lines)


class Parts:
    """Read parts as the one file they are."""

    def __init__(self, listing: Path, parts: Sequence[Part]) -> None:
        self.listing = listing
        self.parts = tuple(parts)

    @classmethod
    def find(cls, path: Path) -> Self | None:
        """Find the parts that a path means: their list, one of them, or the file they were; None for any other file.

        Raises ImageError that names every part which is missing or has not all its bytes.
        """
        stem = path.with_name(_NUMBER.sub("", path.name.removesuffix(_LIST)))
        listing = _list_of(stem)
        if path == stem and path.exists():
            return None  # a whole file
        if not listing.is_file():
            if path.exists() and _NUMBER.search(path.name):
                raise ImageError(f"{listing}: missing", hint="copy it too: it stands beside the parts")
            return None
        found = cls(listing, _read_list(listing, stem))
        found._refuse_missing()
        return found

    @property
    def size(self) -> int:
        """Count the bytes of all parts."""
        return sum(part.size for part in self.parts)

    def open(self) -> BinaryIO:
        """Open them as one file."""
        raw: io.RawIOBase = _Joined(self)
        return io.BufferedReader(raw)

    def range(self, offset: int) -> Chain:
        """Point at bytes of them."""
        return Chain(tuple((part.path, part.size) for part in self.parts), offset)

    def damaged(self, *, on_bytes: Callable[[int], None] | None = None) -> list[Problem]:
        """Read all parts and name those that are not what the list says."""
        found = []
        for part in self.parts:
            seen = hashlib.sha256()
            for piece in read(Range(part.path), part.size):
                seen.update(piece)
                if on_bytes:
                    on_bytes(len(piece))
            if seen.hexdigest() != part.sha256:
                message = f"{part.path}: damaged: its sha256 is not what {self.listing.name} says"
                found.append(Problem(message, hint=_COPY_AGAIN.format(part.path.name)))
        return found

    def _refuse_missing(self) -> None:
        problems = []
        for part in self.parts:
            size = part.path.stat().st_size if part.path.is_file() else -1
            if size != part.size:
                state = "missing" if size < 0 else f"cut: {size} bytes of {part.size}"
                problems.append(Problem(f"{part.path}: {state}", hint=_COPY_AGAIN.format(part.path.name)))
        if problems:
            message = f"{self.listing.name}: {counted(len(problems), 'part')} of {len(self.parts)} not whole"
            raise ImageError(message, problems=problems, hint="all parts stand in one directory")


class _Joined(io.RawIOBase):
    """Be the parts as one file that can be read and sought."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._parts.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override] # typed as WriteableBuffer, which it is
        wanted = min(len(buffer), self._parts.size - self._at, PIECE)
        piece = next((p for p in read(self._parts.range(self._at), wanted) if p), b"") if wanted > 0 else b""
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _read_list(listing: Path, stem: Path) -> list[Part]:
    first, *lines = listing.read_text("utf-8", errors="replace").splitlines() or [""]
    sizes = _SIZES.fullmatch(first)
    rows = [found for line in lines if (found := _LINE.fullmatch(line))]
    expected = [_part_of(stem, number + 1).name for number in range(len(lines))]
    if not sizes or not rows or [row["name"] for row in rows] != expected:
        hint = "copy it again, and leave the names as 'sealpy save --part-size' gave them"
        raise ImageError(f"{listing}: not a list of the parts of {stem.name}", hint=hint)
    each, total = int(sizes["part"]), int(sizes["total"])
    lengths = [each] * (len(rows) - 1) + [total - each * (len(rows) - 1)]
    return [Part(listing.with_name(row["name"]), n, row["sha256"]) for row, n in zip(rows, lengths, strict=True)]


def _list_of(out: Path) -> Path:
    return out.with_name(f"{out.name}{_LIST}")


def _part_of(out: Path, number: int) -> Path:
    return out.with_name(f"{out.name}.{number:03d}")


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
