"""Bring an image from a registry into the store: only what is missing, many blobs at once, on from where it was cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sealpy.errors import DigestMismatchError, ImageError, RemoteError, StoreError
from sealpy.image.blobs import BlobWriter
from sealpy.image.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_INDEX,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    encode,
    parse,
)
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.remote.parallel import Stop, at_once
from sealpy.image.remote.platforms import choose, here, named, platform_name
from sealpy.image.remote.remotes import Sources
from sealpy.image.remote.repository import Repository
from sealpy.image.remote.transport import UnreachableError
from sealpy.image.store import Store

__all__ = ["AT_ONCE", "Fetcher", "Pulled", "pull"]

AT_ONCE: Final = 4  # blobs on their way at the same time
_ATTEMPTS: Final = 5  # cuts in a row without a byte of progress
_RANGE_NOT_THERE: Final = 416


@dataclass(frozen=True, slots=True)
class Pulled:
    """Say what came: the image, the bytes that were fetched, the blobs it has and those that were missing."""

    descriptor: Descriptor
    fetched: int
    blobs: int
    missing: int


def pull(
    store: Store,
    sources: Sources,
    *,
    progress: Progress,
    platforms: Sequence[Platform] | None = (),
    name: Reference | None = None,
) -> Pulled:
    """Pull an image and give it its name, or `name`; nothing has that name before everything is here and verified.

    Of an index the image for this machine is taken, or those for `platforms` as a narrower index, or all of it as it
    is when that is None. Raises RemoteError, DigestMismatchError, ImageError for a platform that is not there, and
    StoreError for a full disk; what has arrived stays for the next try.
    """
    with store.keeping():
        fetcher = Fetcher(store, sources)
        top, documents = _tree(fetcher, platforms)
        fetcher.fetch(progress, [blob for _, manifest in documents for blob in (manifest.config, *manifest.layers)])
        for descriptor, manifest in documents:
            _check_platform(store, manifest, descriptor, sources.reference, platforms)
        for data, media_type in fetcher.documents.values():
            store.put(data, media_type=media_type)
        reference = name or sources.reference
        if reference.tag:
            store.tag(Reference(reference.domain, reference.path, reference.tag), top)
    return Pulled(top, fetcher.fetched, fetcher.blobs, fetcher.missing)


Documents = list[tuple[Descriptor, Manifest]]


def _tree(fetcher: Fetcher, platforms: Sequence[Platform] | None) -> tuple[Descriptor, Documents]:
    """Read the manifests that are wanted; gives what the image is to be, and its manifests."""
    reference = fetcher.sources.reference
    top = fetcher.document("")
    if top.media_type in MANIFEST_TYPES:
        return top, [(top, fetcher.manifest(top))]
    if top.media_type not in INDEX_TYPES:
        hint = "name an image; signatures and the like are no images"
        raise ImageError(f"{reference.familiar}: type {top.media_type!r} is no image", hint=hint)
    index = parse(Index, fetcher.documents[top.digest][0], what=str(reference))
    chosen = index.manifests if platforms is None else choose(index, platforms or [here()], what=reference.familiar)
    found: Documents = []
    for entry in chosen:
        read = fetcher.document(entry.digest)
        if read.media_type not in MANIFEST_TYPES:
            message = f"{reference.familiar}: its index lists {read.media_type!r}, which is no image"
            raise ImageError(message, hint="name the image for one platform by its digest")
        found.append((entry, fetcher.manifest(read)))
    if platforms is None:
        return top, found
    fetcher.documents.pop(top.digest)
    if len(chosen) == 1 and len(platforms) <= 1:
        return chosen[0], found
    data = encode(Index(manifests=chosen))
    return fetcher.add(data, OCI_INDEX), found


def _check_platform(
    store: Store, manifest: Manifest, descriptor: Descriptor, reference: Reference, platforms: Sequence[Platform] | None
) -> None:
    """Refuse an image without an index that is for another platform than the one asked for."""
    if not platforms or descriptor.platform:
        return
    config = parse(ImageConfig, store.read(manifest.config.digest), what=f"{reference.familiar}: configuration")
    platform = Platform(architecture=config.architecture, os=config.os)
    if not any(named(platform, wanted) for wanted in platforms):
        hint = "leave out --platform to take it all the same"
        raise ImageError(f"{reference.familiar}: it is for {platform_name(platform)} alone", hint=hint)


class Fetcher:
    """Fetch documents and blobs of one image into the store; `documents` are kept back until all blobs are there."""

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self.sources = sources
        self._stop = Stop()
        self._lock = threading.Lock()
        self.documents: dict[str, tuple[bytes, str]] = {}
        self.fetched = self.blobs = self.missing = 0

    def add(self, data: bytes, media_type: str) -> Descriptor:
        """Keep a document of our own for the store."""
        descriptor = self._store.put(data, media_type=media_type)
        self.documents[descriptor.digest] = data, media_type
        return descriptor

    def document(self, digest: str) -> Descriptor:
        """Read a manifest or an index: the one of a digest, or for an empty one what the reference means."""
        descriptor, data = self.sources.manifest(digest)
        self.documents[descriptor.digest] = data, descriptor.media_type
        return descriptor

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Give a manifest that was read."""
        what = f"{self.sources.reference.repository}@{descriptor.digest}"
        return parse(Manifest, self.documents[descriptor.digest][0], what=what)

    def fetch(self, progress: Progress, blobs: Sequence[Descriptor]) -> None:
        """Fetch the blobs that are not in the store, the largest first."""
        wanted = {blob.digest: blob for blob in blobs}
        missing = [blob for blob in wanted.values() if not self._store.has(blob.digest)]
        self.blobs, self.missing = len(wanted), len(missing)
        total = sum(blob.size for blob in missing)
        if total > (free := self._store.free_bytes()):
            hint = "make room with 'sealpy rmi' and 'sealpy prune', or let SEALPY_HOME name a directory on another disk"
            raise StoreError(f"{self._store.root}: {total} bytes are to come and {free} are free", hint=hint)
        on_bytes = progress.step(f"{self.sources.reference.familiar}", total=total)

        def told(count: int) -> None:
            with self._lock:
                on_bytes(count)

        def work(blob: Descriptor) -> None:
            self._blob(blob, told)

        at_once(work, sorted(missing, key=lambda blob: -blob.size), limit=AT_ONCE, stop=self._stop)

    def _blob(self, blob: Descriptor, on_bytes: Callable[[int], None]) -> None:
        """Fetch one blob, from the first repository that gives it whole."""
        with self._store.partial(blob.digest) as writer:
            if self._store.has(blob.digest):  # another process was faster
                on_bytes(blob.size)
                return
            for last, repository in _until_last(self.sources.repositories):
                try:
                    _Download(self, repository, blob, writer, on_bytes).run()
                except (RemoteError, DigestMismatchError):
                    if last:
                        raise
                else:
                    return

    def check(self) -> None:
        """Raise when another blob has failed."""
        self._stop.check()

    def count(self, size: int) -> None:
        """Take into account what came over the wire."""
        with self._lock:
            self.fetched += size


def _until_last(repositories: Sequence[Repository]) -> list[tuple[bool, Repository]]:
    return [(repository is repositories[-1], repository) for repository in repositories]


class _Download:
    """Bring one blob from one repository."""

    def __init__(
        self,
        fetcher: Fetcher,
        repository: Repository,
        blob: Descriptor,
        writer: BlobWriter,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._fetcher = fetcher
        self._repository = repository
        self._blob = blob
        self._writer = writer
        self._on_bytes = on_bytes
        self._what = f"{repository.name}@{blob.digest}"

    def run(self) -> None:
        """Go on where the last try ended, and make the blob valid when its digest is right."""
        if self._writer.size > self._blob.size:
            self._writer.restart()
        resumed = self._writer.size > 0
        self._on_bytes(self._writer.size)
        idle = 0
        while self._writer.size < self._blob.size or (not self._blob.size and not idle):
            before = self._writer.size
            try:
                self._read()
            except UnreachableError as error:
                idle = 0 if self._writer.size > before else idle + 1
                if idle == _ATTEMPTS:
                    raise
                self._repository.remote.wait(error.message, 0.5 * 2**idle)
                continue
            idle += self._writer.size == before
            if idle == _ATTEMPTS:
                raise self._too_short(self._writer.size)
        self._commit(resumed=resumed)

    def _commit(self, *, resumed: bool) -> None:
        try:
            self._writer.commit(self._blob.digest)
        except DigestMismatchError as error:
            self._on_bytes(-self._blob.size)
            if resumed:  # perhaps it is the bytes of the earlier try that are wrong
                self.run()
                return
            hint = "the registry, or somebody on the way to it, gives other bytes: tell whoever operates it"
            raise DigestMismatchError(f"{self._what}: its bytes have another digest", hint=hint) from error

    def _read(self) -> None:
        """Read from where we are to the end, or to where the connection is cut."""
        start = self._writer.size
        with self._repository.blob(self._blob.digest, offset=start) as (response, begins):
            if begins != start:  # the registry knows no ranges
                self._on_bytes(-start)
                self._writer.restart()
            length = response.headers.get("Content-Length", "")
            if length.isdigit() and begins + int(length) != self._blob.size:
                raise self._too_short(begins + int(length))
            for piece in response.pieces(self._blob.size - begins + 1):
                self._fetcher.check()
                if self._writer.size + len(piece) > self._blob.size:
                    self._on_bytes(-self._writer.size)
                    self._writer.restart()
                    raise self._too_short(self._blob.size + 1)
                self._writer.write(piece)
                self._fetcher.count(len(piece))
                self._on_bytes(len(piece))

    def _too_short(self, size: int) -> DigestMismatchError:
        there = "more" if size > self._blob.size else f"{size}"
        message = f"{self._what}: the manifest says {self._blob.size} bytes, the registry has {there}"
        return DigestMismatchError(message, hint="the image is damaged there: push it again, or get it from elsewhere")
