"""What an archive or a directory of images holds, as names with their bytes; nothing is unpacked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from sealpy.disk import reason_of
from sealpy.errors import DigestMismatchError, ImageError
from sealpy.image.archive.parts import Parts
from sealpy.image.manifest import MOST_DOCUMENT, digest_of
from sealpy.image.tar_entries import MOST_ENTRIES, TarEntry, is_header, opened_entries, tar_entries
from sealpy.image.tarball import BLOCK, Range, Source, read

__all__ = ["Blob", "Contents", "oci_path"]

_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"BZh")  # gzip, zstd, xz, bzip2
_NO_ARCHIVE = (
    "take what 'sealpy save' or 'docker save' wrote; if this is that, it was damaged on its way: copy it again"
)
_DOCUMENTS = ("index.json", "manifest.json", "oci-layout")


@dataclass(frozen=True, slots=True)
class Blob:
    """Hold where the bytes of a digest stand."""

    digest: str
    size: int
    source: Source


class Contents:
    """See an archive, its parts, or a directory as names with their bytes."""

    def __init__(self, path: Path) -> None:
        """List what is in it; raises ImageError that names it."""
        self.path = path
        self.parts: Parts | None = None
        self._files: dict[str, Blob] = {}
        if path.is_dir():
            self._list_directory(path)
            return
        try:
            self.parts = Parts.find(path)
            self._refuse_what_is_no_tar()
            self._list(self._entries())
        except OSError as error:
            raise ImageError(f"{path}: cannot be read: {reason_of(error)}") from error

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def blob(self, name: str, digest: str) -> Blob:
        """Find a member and say what its digest should be."""
        try:
            found = self._files[name]
        except KeyError as error:
            raise ImageError(f"{self.path}: {name} is missing in it", hint="save the image again") from error
        return Blob(digest, found.size, found.source)

    def read(self, name: str) -> bytes:
        """Read a small member."""
        blob = self.blob(name, "")
        if blob.size > MOST_DOCUMENT:
            message = f"{self.path}: {name} is too long for a document: {blob.size} bytes"
            raise ImageError(message, hint="get it from who made it")
        return b"".join(read(blob.source, blob.size))

    def document(self, digest: str) -> bytes:
        """Read a small blob of an OCI layout, and verify it."""
        data = self.read(oci_path(digest))
        if digest_of(data) != digest:
            raise DigestMismatchError(f"{self.path}: blob {digest} is damaged", hint="save the image again")
        return data

    def _list_directory(self, path: Path) -> None:
        if not any((path / name).is_file() for name in _DOCUMENTS):
            return  # whoever it is: not every file below it is to be looked at
        for file in islice(path.rglob("*"), MOST_ENTRIES):
            if file.is_file():
                self._files[file.relative_to(path).as_posix()] = Blob("", file.stat().st_size, Range(file))

    def _entries(self) -> Iterator[TarEntry]:
        if self.parts is None:
            yield from tar_entries(self.path, what=f"{self.path}: cannot be read as an archive")
            return
        with self.parts.open() as file:
            what = f"{self.parts.listing}: its parts cannot be read as an archive"
            yield from opened_entries(file, self.parts.size, what=what)

    def _refuse_what_is_no_tar(self) -> None:
        first = b"".join(read(self.parts.range(0) if self.parts else Range(self.path), BLOCK))
        if first.startswith(_PACKED):
            raise ImageError(f"{self.path}: a compressed archive", hint="unpack it: its layers are compressed already")
        if not is_header(first):
            raise ImageError(f"{self.path}: no archive of an image", hint=_NO_ARCHIVE)

    def _list(self, entries: Iterator[TarEntry]) -> None:
        links: dict[str, str] = {}
        for entry in entries:
            name = entry.name.removeprefix("./")
            if entry.kind == "file":
                source = self.parts.range(entry.offset) if self.parts else Range(self.path, entry.offset)
                self._files[name] = Blob("", entry.size, source)
            elif entry.kind != "dir":  # old archives of docker hold equal layers once
                base = PurePosixPath(name).parent if entry.kind == "symlink" else PurePosixPath()
                links[name] = _normal(str(base / entry.target))
        for name, target in links.items():
            if target in self._files:
                self._files[name] = self._files[target]


def oci_path(digest: str) -> str:
    """Say where an OCI layout holds a digest."""
    return f"blobs/{digest.replace(':', '/')}"


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
