"""Remember which layer came of which input, so that what did not change is neither written nor run again.

A key is made of content alone: of the bytes, names, modes and owners of files, of the checksum of a download, of a
command and all layers below it. Times and places on the disk do not count. A record that leads to a layer which is no
longer in the store is passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from sealpy.disk import make_private, write_whole
from sealpy.errors import ImageError
from sealpy.image.assemble import Layer
from sealpy.image.files import decode_index, encode_index
from sealpy.image.store import Store
from sealpy.image.tarball import Content, Member, Source, read

__all__ = ["Forgetful", "LayerCache", "content_key", "key_of"]

_DIRECTORY = "cache"
_KEY = re.compile(r"[0-9a-f]{64}")
_MOST = 2000  # records; a tenth of them is what a large Kubefile needs
_VERSION = 1  # of how layers are made: another number makes every record old


class LayerCache:
    """Find layers by the key of their input, in the directory `cache` of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directory = store.root / _DIRECTORY

    def find(self, key: str) -> Layer | None:
        """Find the layer of a key, if it is still there; a record that cannot be read counts as none."""
        with suppress(FileNotFoundError, ImageError, ValueError):
            [(digest, entries)] = decode_index((self._directory / key).read_bytes()).items()
            if self._store.has(digest):
                (self._directory / key).touch()  # used, so not forgotten
                return Layer(digest, self._store.blob_path(digest).stat().st_size, tuple(entries))
        return None

    def keep(self, key: str, layer: Layer) -> None:
        """Remember the layer of a key, and forget the oldest when there are too many."""
        make_private(self._directory)
        write_whole(self._directory / key, encode_index({layer.digest: layer.entries}))
        records = [entry for entry in os.scandir(self._directory) if _KEY.fullmatch(entry.name)]
        if len(records) > _MOST:
            for entry in sorted(records, key=_used)[: len(records) - _MOST // 2]:
                Path(entry.path).unlink(missing_ok=True)


def _used(entry: os.DirEntry[str]) -> float:
    """Say when a record was used last; one that another build has just forgotten is the oldest."""
    with suppress(FileNotFoundError):
        return entry.stat().st_mtime
    return 0


class Forgetful(LayerCache):
    """Find nothing, so that all is made again, and remember that for the next build."""

    def find(self, key: str) -> Layer | None:  # noqa: ARG002 - whatever it is
        """Find nothing."""
        return None


def key_of(*parts: object) -> str:
    """Make a key of texts, numbers and lists of them."""
    return hashlib.sha256(json.dumps([_VERSION, *parts], sort_keys=True).encode()).hexdigest()


def content_key(content: Content) -> str:
    """Make the key of a layer with this content, reading every file once; raises ImageError for one that changes."""
    with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 1)) as pool:  # hashing leaves the interpreter's lock
        sums = pool.map(_sum, content)
        return key_of("content", list(_rows(content, sums)))


def _rows(content: Content, sums: Iterator[str]) -> Iterator[list[object]]:
    for (member, _), sum_ in zip(content, sums, strict=True):
        yield [member.path, member.kind, member.mode, member.size, member.target, member.uid, member.gid, sum_]


def _sum(entry: tuple[Member, Source]) -> str:
    member, source = entry
    if member.kind != "file":
        return ""
    seen, size = hashlib.sha256(), 0
    for piece in read(source, member.size):
        seen.update(piece)
        size += len(piece)
    if size != member.size:
        raise ImageError(f"{member.path}: changed while it was read", hint="build again when it is still")
    return seen.hexdigest()
