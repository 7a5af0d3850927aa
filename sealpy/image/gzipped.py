"""A copy of an image whose layers are packed by gzip, for tools that read no plain layers.

Images have plain layers here, so that what they share is found and nothing is packed twice. The copy is another image:
its manifest has another digest, and what refers to the stored one (signatures, bills of materials) does not refer to
it. The configuration is the same, since the diff ids in it are of the plain layers. Same input, same bytes: gzip level
6 with time 0 and no name, as far as the zlib is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sealpy.errors import ImageError, StoreError, counted
from sealpy.image.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    Descriptor,
    Index,
    Manifest,
    parse,
)
from sealpy.image.progress import Progress
from sealpy.image.remote.parallel import Stop, at_once
from sealpy.image.store import Store
from sealpy.image.store.graph import platforms
from sealpy.image.tarball import Range, read

__all__ = ["gzipped"]

_LEVEL: Final = 6
_PATIENCE: Final = 10.0  # seconds for the pieces that are packed when Ctrl-C comes: while one is, nothing is discarded
_GZIP_WINDOW: Final = 31  # zlib's way to say: a gzip header, with time 0, and the largest window
_DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
_GZIP_OF: Final = {OCI_LAYER: OCI_LAYER_GZIP, _DOCKER_LAYER: f"{_DOCKER_LAYER}.gzip"}
_OF_THE_BYTES: Final = frozenset({"mediaType", "digest", "size", "urls", "data"})


@contextmanager
def gzipped(store: Store, top: Descriptor, *, progress: Progress) -> Iterator[Descriptor]:
    """Have a copy of an image with packed layers in the store for as long as the block lasts; without a name.

    Gives `top` itself when every layer is packed already. Of an index the platforms that are here are packed. Raises
    ImageError for layers that are packed otherwise, StoreError for those that are damaged or for which
    there is no room.
    """
    packing = _Packing(store)
    try:
        with store.keeping():
            packing.pack(_plain_layers(store, top), progress)
            yield packing.copy(top)
    finally:
        store.discard(packing.made)  # also what is left of such a copy that was killed


def _plain_layers(store: Store, top: Descriptor) -> list[Descriptor]:
    """List the layers that are to be packed; raises for one that cannot be, before any is."""
    found: dict[str, Descriptor] = {}
    for _, manifest in platforms(top, read=store.read, has=store.has):
        for layer in manifest.layers:
            if layer.media_type.endswith("gzip") or ".tar" not in layer.media_type:
                continue  # what is no layer of files, such as an attestation, is nobody's to pack
            if layer.media_type not in _GZIP_OF:
                message = f"layer {layer.digest}: type {layer.media_type!r} cannot be packed by gzip"
                raise ImageError(message, hint="leave out --compression-format: it goes as it is")
            if not store.holds(layer):
                message = f"layer {layer.digest}: not whole in {store.root}"
                raise StoreError(message, hint="'sealpy store check' tells more")
            found[layer.digest] = layer
    return list(found.values())


class _Packing:
    """Write packed layers, and the documents that list them; `made` are the digests of both."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._stop = Stop()
        self._packed: dict[str, Descriptor] = {}
        self.made: set[str] = set()

    def pack(self, layers: list[Descriptor], progress: Progress) -> None:
        """Pack layers, as many at once as there are processors, the largest first."""
        if not layers:
            return
        what = f"pack {counted(len(layers), 'layer')} by gzip"
        on_bytes = progress.step(what, total=sum(layer.size for layer in layers))

        def told(count: int) -> None:
            with self._lock:
                on_bytes(count)
            self._stop.check()

        largest_first = sorted(layers, key=lambda layer: -layer.size)
        workers = os.cpu_count() or 1
        at_once(
            lambda layer: self._pack(layer, told), largest_first, limit=workers, stop=self._stop, patience=_PATIENCE
        )

    def _pack(self, layer: Descriptor, on_bytes: Callable[[int], None]) -> None:
        gzip, plain = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW), hashlib.sha256()
        with self._store.blob() as writer:
            for piece in read(Range(self._store.blob_path(layer.digest)), layer.size):
                plain.update(piece)
                writer.write(gzip.compress(piece))
                on_bytes(len(piece))
            writer.write(gzip.flush())
            if layer.digest != f"sha256:{plain.hexdigest()}":
                message = f"layer {layer.digest}: damaged in {self._store.root}"
                raise StoreError(message, hint="'sealpy store check' tells what to do")
            packed = Descriptor(media_type=_GZIP_OF[layer.media_type], digest=writer.commit(), size=writer.size)
        with self._lock:
            self._packed[layer.digest] = packed
            self.made.add(packed.digest)

    def copy(self, top: Descriptor) -> Descriptor:
        """Write the documents of the copy, those that are listed before those that list them."""
        waiting = [(top, False)]
        while waiting:  # not by recursion: hostile indexes are nested as deep as somebody likes
            descriptor, are_parts_copied = waiting.pop()
            if descriptor.digest in self._packed:
                continue
            if are_parts_copied:
                self._packed[descriptor.digest] = self._rewritten(descriptor)
            else:
                waiting += [(descriptor, True), *((part, False) for part in self._listed(descriptor))]
        return self._packed[top.digest]

    def _listed(self, descriptor: Descriptor) -> tuple[Descriptor, ...]:
        """Give the documents that an index lists and that are here."""
        if descriptor.media_type not in INDEX_TYPES:
            return ()
        index = parse(Index, self._store.read(descriptor.digest), what=f"index {descriptor.digest}")
        known = INDEX_TYPES | MANIFEST_TYPES
        return tuple(one for one in index.manifests if one.media_type in known and self._store.has(one.digest))

    def _rewritten(self, descriptor: Descriptor) -> Descriptor:
        """Write a document anew with what it lists replaced, all else in it as it is; the same when nothing is."""
        data = self._store.read(descriptor.digest)
        is_index = descriptor.media_type in INDEX_TYPES
        parse(Index if is_index else Manifest, data, what=f"document {descriptor.digest}")
        document: dict[str, Any] = json.loads(data)
        field = "manifests" if is_index else "layers"
        listed = [self._replaced(part) for part in document.get(field, [])]
        if listed == document.get(field, []):
            return descriptor
        text = json.dumps({**document, field: listed}, sort_keys=True, separators=(",", ":"))
        written = self._store.put(text.encode(), media_type=descriptor.media_type)
        self.made.add(written.digest)
        return descriptor.model_copy(update={"digest": written.digest, "size": written.size})

    def _replaced(self, part: dict[str, Any]) -> dict[str, Any]:
        packed = self._packed.get(part["digest"])
        if packed is None or packed.digest == part["digest"]:
            return part
        about = {key: value for key, value in part.items() if key not in _OF_THE_BYTES}
        return {**about, "mediaType": packed.media_type, "digest": packed.digest, "size": packed.size}
