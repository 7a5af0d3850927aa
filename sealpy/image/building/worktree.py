"""The rootfs as files on this machine, for commands to work in, and what they changed in it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sealpy.errors import ImageError
from sealpy.image.building.workspace import remove
from sealpy.image.files import Entry
from sealpy.image.store import Store
from sealpy.image.tarball import PIECE, Content, Member

__all__ = ["WorkTree"]

_WHITEOUT = ".wh."
_OPEN = stat.S_IRWXU


@dataclass(frozen=True, slots=True)
class _Seen:
    """Hold what tells quickly that a file is still the same."""

    inode: int
    changed: int
    size: int
    mode: int

    @classmethod
    def of(cls, status: os.stat_result) -> _Seen:
        return cls(status.st_ino, status.st_ctime_ns, status.st_size, status.st_mode)


class WorkTree:
    """Be a directory that holds what an image holds so far; without root all of it belongs to who builds."""

    def __init__(self, root: Path, store: Store) -> None:
        root.mkdir()
        self.root = root
        self._store = store
        self._held: dict[str, Entry] = {}
        self._seen: dict[str, _Seen] = {}
        self._is_root = os.geteuid() == 0

    def __contains__(self, path: str) -> bool:
        return path in self._held

    def fill(self, held: Mapping[str, Entry]) -> None:
        """Make the directory what these entries, sorted, say; what is right already is left alone."""
        self._open_directories()
        for path in sorted(self._held.keys() - held.keys(), reverse=True):
            self._remove(path)
        for path, entry in held.items():
            before = self._held.get(path)
            if before is None or not _same(before, entry):
                self._write(entry, before)
            self._held[path] = entry
        self._look()
        self._close_directories()

    def changes(self) -> Content:
        """List what differs from what was filled in; from now on that counts as filled in.

        What is gone is a whiteout, as in every OCI layer. Raises ImageError for what no layer can hold.
        """
        found: dict[str, Entry] = {}
        content: Content = []
        for path, status in self._walk():
            before = self._held.get(path)
            if before and self._seen[path] == _Seen.of(status) and before.kind != "dir":
                found[path] = before
                continue
            entry = self._entry(path, status, before)
            found[path] = entry
            if before is None or not _same(before, entry):
                content.append((entry.member, self.root / path if entry.kind == "file" else b""))
        for path in self._held.keys() - found.keys():
            parent, _, name = path.rpartition("/")
            if not parent or (parent in found and found[parent].kind == "dir"):  # else it went with what is above
                content.append((Member(f"{parent}/{_WHITEOUT}{name}" if parent else f"{_WHITEOUT}{name}"), b""))
        self._held = found
        self._look()
        self._close_directories()
        return content

    # ---- what is there

    def _walk(self, directory: str = "") -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(self.root / directory) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            path = f"{directory}/{name}" if directory else name
            status = (self.root / path).lstat()
            if stat.S_ISDIR(status.st_mode):
                self._let_in(self.root / path, status)
                yield path, status
                yield from self._walk(path)
            else:
                yield path, status

    def _let_in(self, path: Path, status: os.stat_result) -> None:
        if not self._is_root and status.st_mode & _OPEN != _OPEN:
            path.chmod(status.st_mode & 0o7777 | _OPEN)

    def _entry(self, path: str, status: os.stat_result, before: Entry | None) -> Entry:
        mode, (uid, gid) = stat.S_IMODE(status.st_mode), self._owner(status, before)
        place = self.root / path
        if stat.S_ISDIR(status.st_mode):
            return Entry(path, "dir", mode, uid=uid, gid=gid)
        if stat.S_ISLNK(status.st_mode):
            return Entry(path, "symlink", 0o777, target=str(place.readlink()), uid=uid, gid=gid)
        if not stat.S_ISREG(status.st_mode):
            hint = "remove it at the end of the command"
            raise ImageError(f"{path!r} is neither file, directory nor link", hint=hint)
        if not self._is_root and not mode & stat.S_IRUSR:
            place.chmod(mode | stat.S_IRUSR)  # the layer has the mode it had
        return Entry(path, "file", mode, status.st_size, _sha256(place), uid=uid, gid=gid)

    def _owner(self, status: os.stat_result, before: Entry | None) -> tuple[int, int]:
        """Give the owner of a file; without root every file is ours, so it keeps the owner that it had."""
        if self._is_root:
            return status.st_uid, status.st_gid
        return (before.uid, before.gid) if before else (0, 0)

    def _look(self) -> None:
        self._seen = {path: _Seen.of((self.root / path).lstat()) for path in self._held}

    # ---- what is made

    def _write(self, entry: Entry, before: Entry | None) -> None:
        path = self.root / entry.path
        if before and not before.kind == entry.kind == "dir":
            self._remove(entry.path)
        match entry.kind:
            case "dir":
                path.mkdir(exist_ok=True)
                path.chmod(_OPEN if not self._is_root else entry.mode)
            case "symlink":
                path.symlink_to(entry.target)
            case "file":
                self._copy(entry, path)
        if self._is_root and (entry.uid or entry.gid or before):
            os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        if entry.kind == "file":
            path.chmod(entry.mode)  # after the owner, which takes some bits away

    def _copy(self, entry: Entry, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        target = os.open(path, flags, 0o600)
        try:
            with self._store.blob_path(entry.layer).open("rb") as blob:
                at, end = entry.offset, entry.offset + entry.size
                while at < end:
                    sent = os.sendfile(target, blob.fileno(), at, min(end - at, 1 << 30))
                    if not sent:
                        raise ImageError(f"{entry.path}: its layer ends too early", hint="get the image again")
                    at += sent
        finally:
            os.close(target)

    def _remove(self, path: str) -> None:
        place = self.root / path
        if place.is_dir() and not place.is_symlink():
            remove(place)
        else:
            place.unlink(missing_ok=True)
        below = f"{path}/"
        for gone in [one for one in self._held if one == path or one.startswith(below)]:
            del self._held[gone]

    def _open_directories(self) -> None:
        """Let ourselves into directories that their mode keeps us out of, parents first."""
        for path in self._closed():
            self._let_in(self.root / path, (self.root / path).lstat())

    def _close_directories(self) -> None:
        """Give directories the mode that they have in the image, children first."""
        for path in reversed(self._closed()):
            (self.root / path).chmod(self._held[path].mode)

    def _closed(self) -> list[str]:
        if self._is_root:
            return []
        return [path for path, entry in self._held.items() if entry.kind == "dir"]


def _same(one: Entry, other: Entry) -> bool:
    """Tell whether two entries are the same file, wherever its bytes stand."""
    return replace(one, layer="", offset=0) == replace(other, layer="", offset=0)


def _sha256(path: Path) -> str:
    seen = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            seen.update(piece)
    return seen.hexdigest()
