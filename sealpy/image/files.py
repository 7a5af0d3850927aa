"""What files an image has: where each one's bytes stand, and their sha256.

Every layer has a list of entries. The lists of all layers are one JSON document, `.sealpy/index.json`, in the last
layer of the image: an ordinary file, so it survives any registry and any tool. Layers are named by their diff id (the
digest of the plain tar), which stays when a tool compresses them. A list that is missing is made by reading the tar.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import get_args

from sealpy.errors import ImageError
from sealpy.image.tarball import PIECE, Kind

__all__ = ["INDEX_PATH", "Entry", "decode_index", "encode_index", "merge", "scan"]

INDEX_PATH = ".sealpy/index.json"
_VERSION = 1
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


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


def merge(layers: Iterable[Sequence[Entry]]) -> dict[str, Entry]:
    """Lay the layers over each other, from bottom to top, whiteouts included; sorted by path, parents first."""
    files: dict[str, Entry] = {}
    for layer in layers:
        for entry in layer:
            _white_out(files, entry)
        for entry in layer:
            if not _name(entry.path).startswith(_WHITEOUT):
                _lay_over(files, entry)
    return {path: files[path] for path in sorted(files, key=lambda path: path.split("/"))}


def _white_out(files: dict[str, Entry], entry: Entry) -> None:
    name, parent = _name(entry.path), entry.path.rpartition("/")[0]
    if name == _OPAQUE:
        _remove_below(files, parent)
    elif name.startswith(_WHITEOUT):
        gone = "/".join(filter(None, [parent, name.removeprefix(_WHITEOUT)]))
        files.pop(gone, None)
        _remove_below(files, gone)


def _lay_over(files: dict[str, Entry], entry: Entry) -> None:
    for parent in PurePosixPath(entry.path).parents:
        path = str(parent)
        if path != "." and (path not in files or files[path].kind != "dir"):
            files[path] = Entry(path, "dir", 0o755)
    before = files.get(entry.path)
    if before is not None and before.kind == "dir" and entry.kind != "dir":
        _remove_below(files, entry.path)
    files[entry.path] = entry


def _remove_below(files: dict[str, Entry], directory: str) -> None:
    prefix = f"{directory}/" if directory else ""
    for path in [path for path in files if path.startswith(prefix)]:
        del files[path]


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
            digest: tuple(
                _checked(Entry(path, kind, mode, size, sha256, digest, offset, target, *owner))
                for path, kind, mode, size, sha256, offset, target, *owner in rows
            )
            for digest, rows in value["layers"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ImageError(f"{INDEX_PATH}: not a list of files: {error}", hint="get the image again") from error


def _checked(entry: Entry) -> Entry:
    if entry.kind not in get_args(Kind):
        raise ValueError(f"{entry.path!r} has the kind {entry.kind!r}")
    numbers: tuple[object, ...] = (entry.mode, entry.size, entry.offset, entry.uid, entry.gid)
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise ValueError(f"{entry.path!r} has a number that is none")
    if entry.path.startswith("/") or any(part in {"", ".", ".."} for part in entry.path.split("/")):
        raise ValueError(f"path {entry.path!r} leaves the rootfs")
    return entry


def scan(path: Path, layer: str) -> tuple[Entry, ...]:
    """List the entries of a plain tar by reading it; raises ImageError when it is damaged or has a device in it."""
    found: dict[str, Entry] = {}
    try:
        with tarfile.open(path, "r:") as tar, path.open("rb", buffering=0) as raw:
            for info in tar:
                name = "/".join(part for part in info.name.split("/") if part not in {"", "."})
                if not name:
                    continue
                entry = _entry(info, name, layer, found)
                if entry.kind == "file" and not entry.sha256:
                    raw.seek(entry.offset)
                    entry = replace(entry, sha256=_sha256(raw.read, entry.size), layer=layer)
                found[name] = _checked(entry)
    except (tarfile.TarError, ValueError) as error:
        raise ImageError(f"layer {layer}: {error}", hint="get the image again") from error
    return tuple(found.values())


def _entry(info: tarfile.TarInfo, name: str, layer: str, before: Mapping[str, Entry]) -> Entry:
    mode = info.mode & 0o7777
    if info.isdir():
        return Entry(name, "dir", mode, uid=info.uid, gid=info.gid)
    if info.issym():
        return Entry(name, "symlink", 0o777, target=info.linkname, uid=info.uid, gid=info.gid)
    if info.islnk():
        same = before.get("/".join(part for part in info.linkname.split("/") if part not in {"", "."}))
        if same is None:
            raise ValueError(f"{name!r} is a hard link to {info.linkname!r}, which is not there")
        return replace(same, path=name, mode=mode, layer=layer)
    if not info.isfile():
        raise ValueError(f"{name!r} is neither file, directory nor link")
    return Entry(name, "file", mode, info.size, "", layer, info.offset_data, uid=info.uid, gid=info.gid)


def _sha256(read: Callable[[int], bytes], size: int) -> str:
    digest = hashlib.sha256()
    while size:
        piece = read(min(size, PIECE))
        if not piece:
            raise ValueError("it ends too early")
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()
