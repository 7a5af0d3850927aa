"""Whether the store is what it says: every blob its digest, every image whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from sealpy.errors import BadReferenceError, ImageError, Problem, StoreError
from sealpy.image.manifest import LAYOUT, REF_NAME, Descriptor
from sealpy.image.reference import Reference
from sealpy.image.store import Store, Waste
from sealpy.image.store.graph import reach

__all__ = ["Health", "check", "repair"]

_PIECE = 1 << 20
_REPAIR = "'sealpy store repair' takes it out"


@dataclass(frozen=True, slots=True)
class Health:
    """Tell how a store is: what it holds, what is wrong with it, and what nobody needs (None when that is unknown)."""

    images: int
    blobs: int
    size: int
    faults: tuple[Problem, ...]
    waste: Waste | None


@dataclass(frozen=True, slots=True)
class _Findings:
    """Hold what the bytes say: the size of each blob, and the digest of those that are not what they should be."""

    sizes: dict[str, int]
    damaged: dict[str, str]


def check(store: Store, *, on_bytes: Callable[[int], None] | None = None) -> Health:
    """Read every blob and follow every image; faults are collected, nothing is changed.

    `on_bytes` receives the number of bytes of each piece that was read.
    """
    with store.keeping():
        faults = _layout_faults(store)
        entries = _entries(store, faults)
        found = _read_all(store, on_bytes)
        users: dict[str, list[str]] = defaultdict(list)
        for entry in entries:
            faults += _image_faults(store, entry, found, users)
        faults += _blob_faults(store, found, users)
        waste = _waste(store)
    images = sum(REF_NAME in (entry.annotations or {}) for entry in entries)
    return Health(images, len(found.sizes), sum(found.sizes.values()), tuple(faults), waste)


def repair(store: Store, *, on_bytes: Callable[[int], None] | None = None) -> tuple[str, ...]:
    """Take damaged blobs and unusable names out, so that the next load or pull brings them again; say what was done."""
    with store.keeping():
        found = _read_all(store, on_bytes)
        for digest in found.damaged:
            store.blob_path(digest).unlink(missing_ok=True)
        names = [str(name) for entry in store.entries() if (name := _bad_name(entry))]
        for name in names:
            store.forget(name)
    return (*(f"blob {digest} removed" for digest in found.damaged), *(f"name {name!r} removed" for name in names))


def _layout_faults(store: Store) -> list[Problem]:
    path = store.root / "oci-layout"
    try:
        known = json.loads(path.read_bytes()) == json.loads(LAYOUT)
    except ValueError:
        known = False
    return [] if known else [Problem(f"{path}: not {LAYOUT.decode()}", hint=f"remove {path}: it is made again")]


def _entries(store: Store, faults: list[Problem]) -> tuple[Descriptor, ...]:
    try:
        entries = store.entries()
    except StoreError as error:
        faults.append(Problem(error.message, hint=error.hint))
        return ()
    names = [name for entry in entries if (name := _bad_name(entry))]
    faults += [Problem(f"name {name!r} in {store.root / 'index.json'}: no image name", hint=_REPAIR) for name in names]
    return entries


def _bad_name(entry: Descriptor) -> str:
    name = (entry.annotations or {}).get(REF_NAME)
    try:
        Reference.parse(name or "x")
    except BadReferenceError:
        return name or ""
    return ""


def _read_all(store: Store, on_bytes: Callable[[int], None] | None) -> _Findings:
    digests, one_at_a_time = sorted(store.blobs()), Lock()

    def count(size: int) -> None:
        if on_bytes:
            with one_at_a_time:
                on_bytes(size)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # hashing gives up the interpreter's lock
        rows = list(pool.map(lambda digest: _read(store, digest, count), digests))
    sizes = {digest: size for digest, size, _ in rows}
    return _Findings(sizes, {digest: actual for digest, _, actual in rows if actual != digest})


def _read(store: Store, digest: str, on_bytes: Callable[[int], None]) -> tuple[str, int, str]:
    seen, size = hashlib.sha256(), 0
    try:
        with store.blob_path(digest).open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                seen.update(piece)
                size += len(piece)
                on_bytes(len(piece))
    except OSError as error:  # a bad sector
        return digest, size, f"unreadable: {error.strerror}"
    return digest, size, f"sha256:{seen.hexdigest()}"


def _image_faults(store: Store, entry: Descriptor, found: _Findings, users: dict[str, list[str]]) -> Iterable[Problem]:
    """Follow one image; who needs which blob goes into `users`, blobs that are wrong are told once for all images."""
    name = _shown(entry)
    try:
        for part in reach(entry, read=store.read, has=store.has):
            users[part.digest].append(name)
            size = found.sizes.get(part.digest, part.size)
            if size != part.size and part.digest not in found.damaged:
                message = f"blob {part.digest}: {size} bytes; {name} says {part.size}"
                yield Problem(message, hint=f"get {name} from who made it: its manifest lies")
    except ImageError as error:
        if not any(name in needing for digest, needing in users.items() if _is_wrong(digest, found)):
            yield Problem(f"image {name}: {error.message}", hint=error.hint)


def _is_wrong(digest: str, found: _Findings) -> bool:
    return digest in found.damaged or digest not in found.sizes


def _blob_faults(store: Store, found: _Findings, users: dict[str, list[str]]) -> Iterable[Problem]:
    for digest in sorted(users.keys() - found.sizes.keys()):
        yield Problem(f"blob {digest}: missing; {_need(users[digest])}", hint=_again(users[digest]))
    for digest, actual in sorted(found.damaged.items()):
        needing = users.get(digest, [])
        state = f"its bytes are {actual}" if actual.startswith("sha256:") else actual
        hint = f"{_REPAIR}; then {_again(needing)}" if needing else f"{_REPAIR}, as 'sealpy prune' does"
        yield Problem(f"blob {digest}: damaged in {store.root}: {state}; {_need(needing)}", hint=hint)


def _need(names: Sequence[str]) -> str:
    verb = "needs" if len(names) == 1 else "need"
    return f"{', '.join(names)} {verb} it" if names else "no image needs it"


def _again(names: Iterable[str]) -> str:
    return f"load, pull or build {' and '.join(names)} again: only what is missing is written"


def _shown(entry: Descriptor) -> str:
    name = (entry.annotations or {}).get(REF_NAME, "")
    try:
        return f"'{Reference.parse(name).familiar}'"
    except BadReferenceError:
        return f"'{name or entry.digest}'"


def _waste(store: Store) -> Waste | None:
    try:
        return store.waste()
    except ImageError:
        return None  # a damaged image does not say what it needs; that is among the faults
