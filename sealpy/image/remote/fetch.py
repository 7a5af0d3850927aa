"""Bring blobs from registries into the store: only what is missing, many at once, on from where they were cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from sealpy.errors import DigestMismatchError, RemoteError, counted
from sealpy.image.manifest import Descriptor
from sealpy.image.progress import Progress
from sealpy.image.remote.parallel import Stop, at_once
from sealpy.image.remote.remotes import Sources
from sealpy.image.remote.repository import Repository
from sealpy.image.remote.transport import UnreachableError
from sealpy.image.store import Store
from sealpy.image.store.blobs import BlobWriter

__all__ = ["AT_ONCE", "BlobFetcher"]

AT_ONCE: Final = 4  # blobs on their way at the same time
_ATTEMPTS: Final = 5  # cuts in a row without a byte of progress


class BlobFetcher:
    """Fetch blobs into the store, and count: `blobs` that were wanted, those `missing`, bytes that were `fetched`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = Stop()
        self._lock = threading.Lock()
        self.fetched = self.blobs = self.missing = 0

    def fetch(self, wanted: Iterable[tuple[Descriptor, Sources]], *, progress: Progress, title: str = "") -> None:
        """Fetch those that are not in the store, the largest first, each from the first of its sources that has it.

        Raises StoreError when there is no room for them, before anything is fetched.
        """
        unique = {blob.digest: (blob, sources) for blob, sources in wanted}
        missing = [pair for digest, pair in unique.items() if not self._store.has(digest)]
        self.blobs, self.missing = len(unique), len(missing)
        self._store.refuse_without_room((blob.digest, blob.size) for blob, _ in missing)
        on_bytes = progress.step(title or counted(len(missing), "blob"), total=sum(blob.size for blob, _ in missing))

        def told(count: int) -> None:
            with self._lock:
                on_bytes(count)

        def work(pair: tuple[Descriptor, Sources]) -> None:
            self._blob(*pair, told)

        at_once(work, sorted(missing, key=lambda pair: -pair[0].size), limit=AT_ONCE, stop=self._stop)

    def _blob(self, blob: Descriptor, sources: Sources, on_bytes: Callable[[int], None]) -> None:
        """Fetch one blob, from the first repository that gives it whole."""
        with self._store.partial(blob.digest) as writer:
            if self._store.has(blob.digest):  # another process was faster
                on_bytes(blob.size)
                return
            for repository in sources.repositories:
                try:
                    _Download(self, repository, blob, writer, on_bytes).run()
                except (RemoteError, DigestMismatchError):
                    if repository is sources.repositories[-1]:
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


class _Download:
    """Bring one blob from one repository."""

    def __init__(
        self,
        fetcher: BlobFetcher,
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
