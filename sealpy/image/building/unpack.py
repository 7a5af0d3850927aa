"""ADD of a local archive: what is in it goes into the image, as Docker does it.

An archive is told by its content, not by its name: a tar, plain or packed by gzip, bzip2 or xz. Modes are kept; owners
become root, since numbers of the machine that packed it mean nothing in a cluster. Nothing is written outside of the
destination: names that lead out, or through a link of the same archive, are refused, and so are devices and pipes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sealpy.errors import ImageError
from sealpy.image.tarball import BLOCK, END, PIECE, Content, Member, Range, Source

__all__ = ["unpacked"]

_ZSTD = b"\x28\xb5\x2f\xfd"
_PACKED: Mapping[bytes, Callable[[Path], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_HINT = "pack it again"


def unpacked(path: Path, *, work: Path) -> Content | None:
    """List what is in an archive, by paths relative to the destination; None for a file that is none.

    A packed one is unpacked to a plain tar in the directory `work`, which the sources point into. Raises ImageError
    that names the archive and the member.
    """
    with path.open("rb") as file:
        begin = file.read(BLOCK)
    if begin.startswith(_ZSTD):
        raise ImageError(f"{path}: packed by zstd, which cannot be unpacked here", hint="pack it by gzip or xz")
    opener = next((opener for magic, opener in _PACKED.items() if begin.startswith(magic)), None)
    with _telling_damage(path):
        if opener is None:
            return _listed(path, path) if _is_tar(begin) else None
        with opener(path) as packed:
            begin = packed.read(BLOCK)
            plain = _unpack(begin, packed, work) if _is_tar(begin) else None
        return _listed(path, plain) if plain else None


@contextmanager
def _telling_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk, not the archive
        raise ImageError(f"{path}: a damaged archive: {error}", hint=_HINT) from error


def _is_tar(begin: bytes) -> bool:
    if len(begin) < BLOCK or not begin.strip(b"\0"):
        return False
    try:
        tarfile.TarInfo.frombuf(begin, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _unpack(begin: bytes, packed: gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile, work: Path) -> Path:
    with tempfile.NamedTemporaryFile(dir=work, delete=False) as plain:
        plain.write(begin)
        while piece := packed.read(PIECE):
            plain.write(piece)
        return Path(plain.name)


def _listed(archive: Path, plain: Path) -> Content:
    found: dict[str, tuple[Member, Source]] = {}
    with tarfile.open(plain, "r:") as tar:
        for info in tar:
            path = _path(archive, info.name)
            if path:
                found.pop(path, None)  # of two members with one name the later counts
                found[path] = _member(archive, info, path, plain, found)
    _refuse_ways_through(archive, found)
    if plain.stat().st_size < len(END):
        raise ImageError(f"{archive}: ends too early", hint=_HINT)
    return list(found.values())


def _path(archive: Path, name: str) -> str:
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise ImageError(f"{archive}: member {name!r} leads out of the archive", hint="pack it without '..'")
    return "/".join(parts)


def _member(
    archive: Path, info: tarfile.TarInfo, path: str, plain: Path, before: Mapping[str, tuple[Member, Source]]
) -> tuple[Member, Source]:
    mode = info.mode & 0o7777
    if info.isdir():
        return Member(path, "dir", mode), b""
    if info.issym():
        return Member(path, "symlink", 0o777, target=info.linkname), b""
    if info.islnk():
        same = before.get(_path(archive, info.linkname))
        if same is None or same[0].kind != "file":
            message = f"{archive}: member {info.name!r} is another name of {info.linkname!r}, which is no file in it"
            raise ImageError(message, hint=_HINT)
        return Member(path, "file", mode, same[0].size), same[1]
    if not info.isfile() or info.issparse():
        what = "a file with holes" if info.issparse() else "neither file, directory nor link"
        raise ImageError(f"{archive}: member {info.name!r} is {what}", hint="pack it without it")
    return Member(path, "file", mode, info.size), Range(plain, info.offset_data)


def _refuse_ways_through(archive: Path, found: Mapping[str, tuple[Member, Source]]) -> None:
    """Refuse members that stand below something that is no directory, such as a link to elsewhere."""
    for path in found:
        for parent in PurePosixPath(path).parents:
            if (above := found.get(str(parent))) and above[0].kind != "dir":
                message = f"{archive}: member {path!r} stands below {str(parent)!r}, which is no directory"
                raise ImageError(message, hint=_HINT)
