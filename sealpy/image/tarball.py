"""tar streams that depend on nothing but their content.

Times are 0, owners are 0 but where somebody chose others, names are sorted by whoever makes the list. Headers are
USTAR; where a name or a number does not fit, or is not ASCII, one PAX header goes before. Both are read by every tar
since 1988 and 2001.
"""

from __future__ import annotations

import os
import re
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sealpy.errors import ImageError

__all__ = [
    "BLOCK",
    "END",
    "PIECE",
    "Chain",
    "Content",
    "File",
    "Kind",
    "Member",
    "Range",
    "Source",
    "Symlink",
    "Tree",
    "above",
    "behind",
    "flaw",
    "header",
    "ordered",
    "padding",
    "read",
    "tar_size",
    "walk",
    "write",
]

BLOCK = 512
END = bytes(2 * BLOCK)
PIECE = 1 << 20  # bytes read at once

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Kind = Literal["file", "dir", "symlink"]


@dataclass(frozen=True, slots=True)
class Range:
    """Point at bytes inside a file on this machine; the member says how many."""

    file: Path
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """Point at bytes in files that follow each other, each with its size: the parts of an archive."""

    files: tuple[tuple[Path, int], ...]
    offset: int = 0


Source = Path | Range | Chain | bytes

_TYPES: Mapping[Kind, bytes] = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE}


@dataclass(frozen=True, slots=True)
class Member:
    """Describe one entry of a tar: path without leading `/`, permission bits, bytes, where a symlink points, owner."""

    path: str
    kind: Kind = "file"
    mode: int = 0o644
    size: int = 0
    target: str = ""
    uid: int = 0
    gid: int = 0


Content = list[tuple[Member, Source]]


@dataclass(frozen=True, slots=True)
class Symlink:
    """Stand in a Tree for a symbolic link."""

    target: str


@dataclass(frozen=True, slots=True)
class File:
    """Stand in a Tree for a file with a mode of its own choice."""

    source: Path | bytes
    mode: int = 0o644


Tree = Path | Mapping[str, Path | bytes | File | Symlink]
"""A directory, or path → file or directory on disk (followed when it is a symlink), bytes, File or Symlink."""


def header(member: Member) -> bytes:
    """Give the header blocks of a member."""
    info = tarfile.TarInfo(member.path)
    info.type = _TYPES[member.kind]
    info.mode = member.mode
    info.size = member.size if member.kind == "file" else 0
    info.linkname = member.target
    info.uid, info.gid = member.uid, member.gid
    if member.path.isascii() and member.target.isascii():
        try:
            return info.tobuf(tarfile.USTAR_FORMAT)
        except ValueError:
            pass  # too long or too big for USTAR: PAX can say it
    return info.tobuf(tarfile.PAX_FORMAT)


def flaw(path: str, target: str = "") -> str:
    """Say why an entry, or a symbolic link to `target`, cannot be part of an image; nothing when it can.

    A link must not climb above the root of its tree; an absolute one names a file of the host, and may.
    """
    if any(part in {"", ".", ".."} for part in path.split("/")):
        return f"{path!r} leads out of the image"
    if _CONTROL.search(path + target):
        return f"{path!r} has a control character in its name"
    depth = path.count("/")
    for part in () if target.startswith("/") else target.split("/"):
        depth += -1 if part == ".." else part not in {"", "."}
        if depth < 0:
            return f"{path!r} is a link to {target!r}, which leads out of the image"
    return ""


def padding(size: int) -> bytes:
    """Give the zeros that fill the last block of a file."""
    return bytes(-size % BLOCK)


def tar_size(members: Iterable[Member]) -> int:
    """Count the bytes of a whole tar with these members, its end included."""
    return len(END) + sum(
        len(header(member)) + (member.size + len(padding(member.size)) if member.kind == "file" else 0)
        for member in members
    )


def read(source: Source, size: int) -> Iterator[bytes]:
    """Yield the bytes of a source in pieces of at most 1 MiB; of a Range or Chain `size` bytes, of others all."""
    match source:
        case bytes():
            yield source
        case Path():
            with source.open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    yield piece
        case Range(path, offset):
            with path.open("rb", buffering=0) as file:
                file.seek(offset)
                while size and (piece := file.read(min(size, PIECE))):
                    size -= len(piece)
                    yield piece
        case Chain(files, offset):
            for path, length in files:
                begin, offset = min(offset, length), max(offset - length, 0)
                part = min(size, length - begin)
                yield from read(Range(path, begin), part)
                size -= part


def behind(source: Source, count: int) -> Source:
    """Give what follows the first `count` bytes of a source."""
    match source:
        case bytes():
            return source[count:]
        case Path():
            return Range(source, count)
        case Range(path, offset):
            return Range(path, offset + count)
        case Chain(files, offset):
            return Chain(files, offset + count)


def write(entries: Iterable[tuple[Member, Source]]) -> Iterator[bytes]:
    """Yield a whole tar; a file that changes its size meanwhile raises ImageError."""
    for member, source in entries:
        yield header(member)
        if member.kind != "file":
            continue
        left = member.size
        for piece in read(source, member.size):
            left -= len(piece)
            yield piece
        if left:
            raise ImageError(f"{member.path}: changed while it was read", hint="try again when nobody writes to it")
        yield padding(member.size)
    yield END


def walk(tree: Tree) -> Content:
    """List what a tree holds, sorted by path, parents first; raises ImageError for devices, sockets and pipes.

    Modes of files on disk are kept as they are, those of plain bytes are 0644, those of parents nobody names 0755.
    """
    found: dict[str, tuple[Member, Source]] = {}
    if isinstance(tree, Path):
        _collect(found, tree, "")
    else:
        for path, value in tree.items():
            _add(found, _clean(path), value)
    return ordered(found.values())


def ordered(content: Iterable[tuple[Member, Source]]) -> Content:
    """Bring entries into the order of a layer: parents first (with mode 0755 where nobody names them), then by path.

    Of two entries with one path the later counts.
    """
    found = {member.path: (member, source) for member, source in content}
    for path in list(found):
        for parent in above(path):
            if parent in found:
                break  # and so are, or will be, those above it
            found[parent] = Member(parent, "dir", 0o755), b""
    return [found[path] for path in sorted(found, key=lambda path: path.split("/"))]


def above(path: str) -> Iterator[str]:
    """Yield the directories above a relative path, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def _clean(path: str) -> str:
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if not parts or ".." in parts:
        raise ImageError(f"path {path!r} does not name a file below the root", hint="leave out '..'")
    return "/".join(parts)


def _add(found: dict[str, tuple[Member, Source]], path: str, value: Path | bytes | File | Symlink) -> None:
    match value:
        case Symlink(target):
            found[path] = (Member(path, "symlink", 0o777, target=target), b"")
        case File(source, mode):
            size = len(source) if isinstance(source, bytes) else source.stat().st_size
            found[path] = (Member(path, "file", mode, size), source)
        case bytes():
            found[path] = (Member(path, "file", 0o644, len(value)), value)
        case Path():
            _collect(found, value.resolve() if value.is_symlink() else value, path)


def _collect(found: dict[str, tuple[Member, Source]], place: Path, path: str) -> None:
    """Add what stands at a place on disk under a path; "" is the root itself, which gets no entry."""
    status = place.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        if path:
            found[path] = (Member(path, "dir", mode), b"")
        for name in os.listdir(place):  # noqa: PTH208 # only names are wanted, iterdir joins each
            _collect(found, place / name, f"{path}/{name}" if path else name)
    elif not path:
        raise ImageError(f"{place}: not a directory", hint="name the directory that holds the files")
    elif stat.S_ISLNK(status.st_mode):
        found[path] = (Member(path, "symlink", 0o777, target=str(place.readlink())), b"")
    elif stat.S_ISREG(status.st_mode):
        found[path] = (Member(path, "file", mode, status.st_size), place)
    else:
        raise ImageError(f"{place}: neither file, directory nor symbolic link", hint="take it out of the tree")
