"""What files an image has: where each one's bytes stand, and their sha256.

Every layer has a list of entries. The lists of all layers are one JSON document, `.sealpy/index.json`, in the last
layer of the image: an ordinary file, so it survives any registry and any tool. Layers are named by their diff id (the
digest of the plain tar), which stays when a tool compresses them. A list that is missing is made by reading the tar.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from sealpy.errors import ImageError
from sealpy.image.tar_entries import MOST_ENTRIES, TarEntry, tar_entries
from sealpy.image.tarball import PIECE, Kind, Member, flaw

__all__ = ["INDEX_PATH", "Entry", "decode_index", "encode_index", "merge", "scan"]

INDEX_PATH = ".sealpy/index.json"
_VERSION = 1
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_NO_WHITEOUTS = frozenset({_WHITEOUT, f"{_WHITEOUT}.", f"{_WHITEOUT}.."})


@dataclass(frozen=True, slots=True)
class Entry:
    """Describe one file, directory or symlink of an image.

    `path` is relative to the rootfs. The `size` bytes of a file begin at `offset` of the blob `layer` in the store
    (a plain tar); `sha256` is 64 hexadecimal digits. `target` is where a symlink points. `uid` and `gid` own it.
    """

    path: str
    kind: Kind = "file"
    mode: int = 0o644
    size: int = 0
    sha256: str = ""
    layer: str = ""
    offset: int = 0
    target: str = ""
    uid: int = 0
    gid: int = 0

    @property
    def member(self) -> Member:
        """Give what a tar says of it."""
        return Member(self.path, self.kind, self.mode, self.size, self.target, self.uid, self.gid)


def merge(layers: Iterable[Sequence[Entry]]) -> dict[str, Entry]:
    """Lay the layers over each other, from bottom to top, whiteouts included; sorted by path, parents first."""
    files: dict[str, Entry] = {}
    for layer in layers:
        files = _without(files, layer)
        for entry in layer:
            if not _name(entry.path).startswith(_WHITEOUT):
                _lay_over(files, entry)
    return {path: files[path] for path in sorted(files, key=lambda path: path.split("/"))}


def _without(files: dict[str, Entry], layer: Sequence[Entry]) -> dict[str, Entry]:
    """Take away what a layer hides: by whiteouts, and by files in the places of directories."""
    hidden, emptied = set(), set()
    for entry in layer:
        name, parent = _name(entry.path), entry.path.rpartition("/")[0]
        if name == _OPAQUE:
            emptied.add(parent)
        elif name.startswith(_WHITEOUT):
            hidden.add("/".join(filter(None, [parent, name.removeprefix(_WHITEOUT)])))
        elif entry.kind != "dir" and entry.path in files and files[entry.path].kind == "dir":
            hidden.add(entry.path)
    if "" in emptied:
        return {}
    if not hidden and not emptied:
        return files
    return {path: entry for path, entry in files.items() if not _is_hidden(path, hidden, emptied)}


def _is_hidden(path: str, hidden: AbstractSet[str], emptied: AbstractSet[str]) -> bool:
    return path in hidden or any(above in hidden or above in emptied for above in _above(path))


def _lay_over(files: dict[str, Entry], entry: Entry) -> None:
    for path in _above(entry.path):
        if path not in files or files[path].kind != "dir":
            files[path] = Entry(path, "dir", 0o755)
    files[entry.path] = entry


def _above(path: str) -> Iterator[str]:
    """Give the directories that a path stands in, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def encode_index(layers: Mapping[str, Sequence[Entry]]) -> bytes:
    """Write the lists of all layers, by diff id, as the document that goes with the image."""
    value = {
        "schemaVersion": _VERSION,
        "layers": {
            digest: [[e.path, e.kind, e.mode, e.size, e.sha256, e.offset, e.target, *_owner(e)] for e in entries]
            for digest, entries in layers.items()
        },
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _owner(entry: Entry) -> tuple[int, ...]:
    """Give the owner where it is not root, as of nearly every file."""
    return (entry.uid, entry.gid) if entry.uid or entry.gid else ()


def decode_index(data: bytes) -> dict[str, tuple[Entry, ...]]:
    """Read such a document; raises ImageError for one that is no such thing or names paths outside the rootfs."""
    try:
        value = json.loads(data)
        if value["schemaVersion"] != _VERSION:
            raise ImageError(
                f"{INDEX_PATH}: version {value['schemaVersion']!r} is not known", hint="use a newer sealpy"
            )
        return {
            digest: _consistent(
                _checked(Entry(path, kind, mode, size, sha256, digest, offset, target, *owner))
                for path, kind, mode, size, sha256, offset, target, *owner in rows
            )
            for digest, rows in value["layers"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ImageError(f"{INDEX_PATH}: not a list of files: {error}", hint="get the image again") from error


def _checked(entry: Entry) -> Entry:
    if entry.kind not in get_args(Kind):
        raise ValueError(f"{entry.path!r} has the kind {entry.kind!r}")
    numbers: tuple[object, ...] = (entry.mode, entry.size, entry.offset, entry.uid, entry.gid)
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise ValueError(f"{entry.path!r} has a number that is none")
    if why := flaw(entry.path, entry.target):
        raise ValueError(why)
    if _name(entry.path) in _NO_WHITEOUTS:
        raise ValueError(f"{entry.path!r} hides nothing that has a name")
    return entry


def _consistent(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Refuse a layer where something stands below a file or a link; of two entries with one path the later counts."""
    found = {entry.path: entry for entry in entries}
    if len(found) > MOST_ENTRIES:
        raise ValueError(f"more than {MOST_ENTRIES} entries in one layer")
    for path in found:
        for above in _above(path):
            if above in found and found[above].kind != "dir":
                raise ValueError(f"{path!r} stands below {above!r}, which is a {found[above].kind}")
    return tuple(found.values())


def scan(path: Path, layer: str) -> tuple[Entry, ...]:
    """List the entries of a plain tar by reading it.

    Raises ImageError when it is damaged, has devices or pipes in it, or names that lead out of the image.
    """
    found: dict[str, Entry] = {}
    try:
        with path.open("rb", buffering=0) as raw:
            for member in tar_entries(path, what=f"layer {layer}"):
                name = _relative(member.name)
                if not name:
                    continue
                entry = _entry(member, name, layer, found)
                if entry.kind == "file" and not entry.sha256:
                    raw.seek(entry.offset)
                    entry = replace(entry, sha256=_sha256(raw.read, entry.size), layer=layer)
                found[name] = _checked(entry)
        return _consistent(found.values())
    except ValueError as error:
        raise ImageError(f"layer {layer}: {error}", hint="get the image from who made it") from error


def _relative(name: str) -> str:
    if name.startswith("/"):
        raise ValueError(f"{name!r} is an absolute name")
    return "/".join(part for part in name.split("/") if part not in {"", "."})


def _entry(member: TarEntry, name: str, layer: str, before: Mapping[str, Entry]) -> Entry:
    match member.kind:
        case "dir":
            return Entry(name, "dir", member.mode, layer=layer, uid=member.uid, gid=member.gid)
        case "symlink":
            return Entry(name, "symlink", 0o777, layer=layer, target=member.target, uid=member.uid, gid=member.gid)
        case "hardlink":
            same = before.get(_relative(member.target))
            if same is None or same.kind == "dir":
                raise ValueError(f"{name!r} is a hard link to {member.target!r}, which is no file before it")
            return replace(same, path=name)
        case "file":
            size, offset = member.size, member.offset
            return Entry(name, "file", member.mode, size, "", layer, offset, uid=member.uid, gid=member.gid)


def _sha256(read: Callable[[int], bytes], size: int) -> str:
    digest = hashlib.sha256()
    while size:
        piece = read(min(size, PIECE))
        if not piece:
            raise ValueError("it ends too early")
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()
