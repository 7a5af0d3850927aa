"""Bring an image from the store to a registry: what it has already is not sent, what its neighbours have is mounted."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from sealpy.errors import ImageError, RemoteAuthError, RemoteError, StoreError, counted
from sealpy.image.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, Index, parse
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.remote.begun import Begun
from sealpy.image.remote.parallel import Stop, at_once
from sealpy.image.remote.remotes import Remotes
from sealpy.image.remote.upload import Blob
from sealpy.image.store import Store
from sealpy.image.store.graph import reach

__all__ = ["Pushed", "push"]

_AT_ONCE: Final = 4
_BAD_DIGEST: Final = 400


@dataclass(slots=True)
class Pushed:
    """Count what a push did: the blobs that were there, mounted and sent, and the bytes of the latter."""

    digest: str
    present: int = 0
    mounted: int = 0
    sent: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count(self, what: str, size: int = 0) -> None:
        """Take one blob into account; many threads do."""
        with self._lock:
            setattr(self, what, getattr(self, what) + 1)
            self.bytes += size


def push(store: Store, remotes: Remotes, top: Descriptor, destination: Reference, *, progress: Progress) -> Pushed:
    """Push an image under a name; the name is given last, so that it never means half an image.

    A second push asks once for each blob and sends none; one after a cut goes on in the middle of a blob. Raises
    RemoteError in the registry's words, StoreError for blobs that are missing or damaged here.
    """
    if destination.digest:
        raise ImageError(f"'{destination}': a digest cannot be pushed to", hint="write name:tag")
    with store.keeping():
        documents = _documents(store, top)
        blobs = {d.digest: d for d in reach(top, read=store.read, has=store.has) if d.digest not in documents}
        _check(store, blobs)
        pushed = Pushed(top.digest)
        _Push(store, remotes, destination, pushed).blobs(list(blobs.values()), progress)
        repository = remotes.repository(destination)
        for digest, (descriptor, data) in reversed(documents.items()):  # children first
            if digest != top.digest:
                repository.put_manifest(digest, data, media_type=descriptor.media_type)
        if repository.digest(destination.tag) != top.digest:
            data = documents[top.digest][1]
            repository.put_manifest(destination.tag, data, media_type=top.media_type)
    return pushed


def _documents(store: Store, top: Descriptor) -> dict[str, tuple[Descriptor, bytes]]:
    """Read the manifests of an image, parents first; raises ImageError when one of an index is not here."""
    found: dict[str, tuple[Descriptor, bytes]] = {}
    waiting = [top]
    while waiting:
        descriptor = waiting.pop(0)
        if descriptor.media_type not in INDEX_TYPES | MANIFEST_TYPES:
            raise ImageError(f"{descriptor.digest}: type {descriptor.media_type!r} is no image", hint="name an image")
        if not store.has(descriptor.digest):
            hint = "pull it with --platform all, or push the image for one platform"
            raise StoreError(f"manifest {descriptor.digest}: listed in the image, and not here", hint=hint)
        data = store.read(descriptor.digest)
        found.pop(descriptor.digest, None)
        found[descriptor.digest] = descriptor, data
        if descriptor.media_type in INDEX_TYPES:
            waiting += parse(Index, data, what=f"index {descriptor.digest}").manifests
    return found


def _check(store: Store, blobs: dict[str, Descriptor]) -> None:
    """Refuse an image that is not here whole, before anything is sent."""
    for digest, blob in blobs.items():
        if not store.has(digest):
            raise StoreError(f"blob {digest}: not in {store.root}", hint="load, pull or build the image again")
        if store.blob_path(digest).stat().st_size != blob.size:
            raise StoreError(f"blob {digest}: damaged in {store.root}", hint="load, pull or build the image again")


class _Push:
    """Send the blobs of one image to one repository."""

    def __init__(self, store: Store, remotes: Remotes, destination: Reference, pushed: Pushed) -> None:
        self._store = store
        self._repository = remotes.repository(destination)
        self._chunk = remotes.chunk(destination.domain)
        self._pushed = pushed
        self._stop = Stop()
        self._neighbours = _neighbours(store, destination)
        self._lock = threading.Lock()

    def blobs(self, blobs: list[Descriptor], progress: Progress) -> None:
        """Send what is missing there, the largest first."""
        on_bytes = progress.step(counted(len(blobs), "blob"), total=sum(blob.size for blob in blobs))

        def told(count: int) -> None:
            with self._lock:
                on_bytes(count)
            self._stop.check()

        at_once(
            lambda blob: self._blob(blob, told),
            sorted(blobs, key=lambda blob: -blob.size),
            limit=_AT_ONCE,
            stop=self._stop,
        )

    def _blob(self, blob: Descriptor, on_bytes: Callable[[int], None]) -> None:
        upload = f"{self._repository.name}@{blob.digest}"
        if self._repository.has_blob(blob.digest):
            self._store.forget_upload(upload)
            self._pushed.count("present")
            on_bytes(blob.size)
            return
        sending = Blob(blob.digest, blob.size, self._store.blob_path(blob.digest), on_bytes)
        try:
            with self._store.upload(upload) as begun:
                sent = self._send(sending, begun)
        except RemoteError as error:
            if error.status == _BAD_DIGEST and _damaged(self._store, blob):
                message = f"blob {blob.digest}: damaged in {self._store.root}"
                raise StoreError(message, hint="load, pull or build the image again") from error
            raise
        if sent:
            self._pushed.count("sent", blob.size - begun.arrived)
        else:
            self._pushed.count("mounted")
            on_bytes(blob.size)

    def _send(self, blob: Blob, begun: Begun) -> bool:
        """Have a blob mounted, or send it; tells whether bytes were sent."""
        if neighbour := self._neighbours.get(blob.digest):
            with suppress(RemoteAuthError):  # the login need not be good for the neighbour
                return self._repository.put_blob(blob, mount_from=neighbour, chunk=self._chunk, begun=begun)
        return self._repository.put_blob(blob, chunk=self._chunk, begun=begun)


def _neighbours(store: Store, destination: Reference) -> dict[str, str]:
    """Map blobs to another repository of the same registry that may have them: local images have their names."""
    found: dict[str, str] = {}
    for image in store.images():
        if image.reference.domain == destination.domain and image.reference.path != destination.path:
            try:
                found |= {
                    d.digest: image.reference.path for d in reach(image.descriptor, read=store.read, has=store.has)
                }
            except ImageError:  # a damaged neighbour only costs bytes
                continue
    return found


def _damaged(store: Store, blob: Descriptor) -> bool:
    with store.blob_path(blob.digest).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != blob.digest
