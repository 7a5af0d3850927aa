"""The entries of a tar, read one by one: flat in memory, and with a limit, whoever made it.

The standard library's reader keeps every entry it has seen, takes a header extension of any length into memory, and
gives the packed bytes of a sparse file for the file. Source: POSIX.1-2001 (pax), the GNU tar manual.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from sealpy.errors import ImageError
from sealpy.image.tarball import BLOCK

__all__ = ["MOST_ENTRIES", "TarEntry", "is_header", "opened_entries", "tar_entries"]

MOST_ENTRIES = 100_000
_LONGEST_EXTENSION = 1 << 20  # bytes; a path may have 4096
_HINT = "get it again from who made it"
_EXTENSIONS = frozenset({tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE})
_KINDS: Mapping[bytes, Literal["file", "dir", "symlink", "hardlink"]] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
}
_REFUSED = {
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


@dataclass(frozen=True, slots=True)
class TarEntry:
    """Describe one entry as it stands in the tar; the `size` bytes of a file begin at `offset` of the tar."""

    name: str
    kind: Literal["file", "dir", "symlink", "hardlink"]
    mode: int
    size: int
    offset: int
    target: str
    uid: int
    gid: int


def tar_entries(path: Path, *, what: str, most: int | None = None) -> Iterator[TarEntry]:
    """Yield the entries of a plain tar in their order, at most `most` of them, else MOST_ENTRIES.

    Raises ImageError, which says `what` the tar is, for one that is damaged, cut or too long, and for entries that are
    devices, pipes or sparse files, or whose names are not UTF-8.
    """
    with path.open("rb") as file:
        yield from opened_entries(file, path.stat().st_size, what=what, most=most)


def opened_entries(file: BinaryIO, size: int, *, what: str, most: int | None = None) -> Iterator[TarEntry]:
    """Yield the entries of a plain tar that is open and has `size` bytes; as `tar_entries`."""
    try:
        yield from _entries(file, size, MOST_ENTRIES if most is None else most)
    except (ValueError, tarfile.HeaderError) as error:
        raise ImageError(f"{what}: {error}", hint=_HINT) from error


def is_header(block: bytes) -> bool:
    """Tell whether the first block of a file can be that of a tar."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _entries(file: BinaryIO, end: int, most: int) -> Iterator[TarEntry]:
    count, at = 0, 0
    said: dict[str, str] = {}  # by extensions, about the entry that follows them
    while (block := _block(file, at)) is not None:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        at += BLOCK
        if info.type in _EXTENSIONS or info.type in {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}:
            said |= _extension(info, _read(file, at, info.size))
            at += _blocks(info.size)
            continue
        entry = _entry(info, said, at)
        if entry.size < 0 or at + entry.size > end:
            raise ValueError(f"{entry.name!r} ends behind the end of the tar: {entry.size} bytes at {at} of {end}")
        at += _blocks(entry.size)
        said = {}
        count += 1
        if count > most:
            raise ValueError(f"more than {most} entries")
        yield entry


def _block(file: BinaryIO, at: int) -> bytes | None:
    """Read the next header; None at the end, which is a block of zeros or, in careless tars, nothing."""
    file.seek(at)
    block = file.read(BLOCK)
    if not block and at == 0:
        raise ValueError("an empty file")
    if block and len(block) < BLOCK:
        raise ValueError("it ends in the middle of a header")
    return block if block.strip(b"\0") else None


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    if not 0 <= size <= _LONGEST_EXTENSION:
        raise ValueError(f"a header of {size} bytes")
    file.seek(at)
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it ends in the middle of a header")
    return data


def _blocks(size: int) -> int:
    return size + -size % BLOCK


def _extension(info: tarfile.TarInfo, data: bytes) -> dict[str, str]:
    match info.type:
        case tarfile.XGLTYPE:
            return {}  # about the whole archive, such as the commit it was made of
        case tarfile.GNUTYPE_LONGNAME:
            return {"path": _text(data.rstrip(b"\0"))}
        case tarfile.GNUTYPE_LONGLINK:
            return {"linkpath": _text(data.rstrip(b"\0"))}
        case _:
            return _pax(data)


def _pax(data: bytes) -> dict[str, str]:
    """Read records such as `22 path=etc/kubernetes`, where the number counts the bytes of the whole line."""
    found: dict[str, str] = {}
    while data:
        length, blank, _ = data.partition(b" ")
        end = int(length) if blank and length.isdigit() else 0
        record = data[len(length) + 1 : end]
        if not 0 < end <= len(data) or not record.endswith(b"\n"):
            raise ValueError("a pax header that is none")
        key, _, value = record[:-1].partition(b"=")
        if key in {b"path", b"linkpath", b"size", b"uid", b"gid"} or key.startswith(b"GNU.sparse"):
            found[_text(key)] = _text(value)
        data = data[end:]
    return found


def _entry(info: tarfile.TarInfo, said: Mapping[str, str], at: int) -> TarEntry:
    name = said.get("path") or _text(info.name.encode("utf-8", "surrogateescape"))
    kind = _KINDS.get(info.type)
    if any(key.startswith("GNU.sparse") for key in said):
        raise ValueError(f"{name!r} is a sparse file, which cannot be read here")
    if kind is None:
        known = _REFUSED.get(info.type, f"of the unknown type {info.type!r}")
        raise ValueError(f"{name!r} is {known}: only files, directories and links are taken")
    target = said.get("linkpath") or _text(info.linkname.encode("utf-8", "surrogateescape"))
    size = int(said.get("size", info.size)) if kind == "file" else 0
    uid, gid = int(said.get("uid", info.uid)), int(said.get("gid", info.gid))
    if kind == "file" and name.endswith("/"):
        kind = "dir"  # as tars before 1988 said it
    return TarEntry(name, kind, info.mode & 0o7777, size, at, target if "link" in kind else "", uid, gid)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the name {data!r} is not UTF-8") from error
