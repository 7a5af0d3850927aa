"""One repository of a registry: its manifests, blobs, tags, and what refers to an image."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode, urljoin

from sealpy.errors import DigestMismatchError, RemoteError
from sealpy.image.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Index,
    digest_of,
    encode,
    parse,
)
from sealpy.image.remote.begun import Begun
from sealpy.image.remote.remote import Remote
from sealpy.image.remote.transport import Body, Response, UnreachableError
from sealpy.image.remote.upload import Blob, Session, upload

__all__ = ["Repository"]

LONGEST_MANIFEST: Final = 4 << 20  # bytes; what the specification asks registries to take
_ACCEPTED: Final = f"{OCI_INDEX}, {OCI_MANIFEST}, {DOCKER_LIST}, {DOCKER_MANIFEST}"
_LONGEST_LIST: Final = 32 << 20
_MOST_PAGES: Final = 10_000
_NEXT: Final = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_OK: Final = 200
_CREATED: Final = 201
_ACCEPTED_STATUS: Final = 202
_PARTIAL: Final = 206
_NOT_FOUND: Final = 404
_REFUSED: Final = range(400, 500)


class Repository:
    """Read and write one repository; safe to use by many threads."""

    def __init__(self, remote: Remote, path: str) -> None:
        self.remote = remote
        self.path = path
        self.name = f"{remote.name}/{path}"
        self._pull = f"repository:{path}:pull"
        self._push = f"repository:{path}:pull,push"

    # -- manifests ----------------------------------------------------------------------------------------------------

    def manifest(self, reference: str) -> tuple[Descriptor, bytes]:
        """Read a manifest or an index by tag or digest; raises RemoteError, DigestMismatchError."""
        headers = {"Accept": _ACCEPTED}
        what = self._named(reference)
        where = self._at("manifests", reference)
        with self.remote.ask("GET", where, what=what, scopes=(self._pull,), headers=headers) as response:
            if response.status != _OK:
                raise response.refusal(hint=self._hint(response))
            data = response.read(LONGEST_MANIFEST)
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        digest = digest_of(data)
        if ":" in reference and digest != reference:
            raise DigestMismatchError(f"{what}: the registry sent {digest} instead", hint="get it from elsewhere")
        return Descriptor(media_type=_media_type(data, media_type), digest=digest, size=len(data)), data

    def digest(self, reference: str) -> str:
        """Ask for the digest of a manifest without reading it; empty when there is none."""
        headers = {"Accept": _ACCEPTED}
        where = self._at("manifests", reference)
        what = self._named(reference)
        with self.remote.ask("HEAD", where, what=what, scopes=(self._pull,), headers=headers) as response:
            if response.status == _OK and (digest := response.headers.get("Docker-Content-Digest")):
                return str(digest)
            if response.status == _NOT_FOUND:
                return ""
            if response.status != _OK:
                raise response.refusal(hint=self._hint(response))
        return self.manifest(reference)[0].digest

    def put_manifest(self, reference: str, data: bytes, *, media_type: str) -> str:
        """Write a manifest under a tag or its digest; gives the digest of the subject that the registry noted."""
        what = self._named(reference)
        headers = {"Content-Type": media_type}
        where = self._at("manifests", reference)
        body = Body.of(data)
        with self.remote.ask("PUT", where, what=what, scopes=(self._push,), headers=headers, body=body) as response:
            if response.status != _CREATED:
                raise response.refusal(hint="nothing of the image has this name there now")
            given = response.headers.get("Docker-Content-Digest", "")
            if given and given != digest_of(data):
                raise DigestMismatchError(f"{what}: the registry keeps {given} instead", hint="push it elsewhere")
            return str(response.headers.get("OCI-Subject", ""))

    # -- blobs --------------------------------------------------------------------------------------------------------

    def has_blob(self, digest: str) -> bool:
        """Ask whether a blob is there."""
        what = self._named(digest)
        with self.remote.ask("HEAD", self._at("blobs", digest), what=what, scopes=(self._push,)) as response:
            if response.status in {_OK, _NOT_FOUND}:
                return response.status == _OK
            raise response.refusal(hint=self._hint(response))

    @contextmanager
    def blob(self, digest: str, *, offset: int = 0) -> Iterator[tuple[Response, int]]:
        """Open a blob to read it from an offset; gives the response and the offset at which it really begins."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        what = self._named(digest)
        where = self._at("blobs", digest)
        with self.remote.ask("GET", where, what=what, scopes=(self._pull,), headers=headers) as response:
            begins = f"bytes {offset}-"
            if response.status == _PARTIAL and response.headers.get("Content-Range", "").startswith(begins):
                yield response, offset
            elif response.status == _OK:
                yield response, 0
            elif response.status == _PARTIAL and not response.headers.get("Content-Range"):
                message = f"{what}: the connection was cut in the middle of the answer's head"
                raise UnreachableError(message, hint="try again: what has arrived is kept")
            else:
                raise response.refusal(hint=self._hint(response))

    def put_blob(self, blob: Blob, *, mount_from: str = "", chunk: int = 0, begun: Begun | None = None) -> bool:
        """Send a blob, or have it mounted from another repository of the registry; tells whether bytes were sent.

        `chunk` bounds the bytes of one request; 0 sends all in one, and less only where the registry demands it.
        `begun` may know an upload of it that was cut: that is gone on with, if the registry knows it too.
        """
        begun = begun or Begun()
        what = self._named(blob.digest)
        if begun.at and self._go_on(blob, begun, what, chunk):
            return True
        for last in (False, True):
            at, smallest = self._begin(blob, mount_from, what)
            if not at:
                return False
            try:
                session = Session(self.remote, at, what=what, scopes=(self._push,), note=begun.note)
                upload(session, blob, chunk=max(chunk, smallest) * bool(chunk))
            except RemoteError as error:
                if error.status != _NOT_FOUND or last:
                    raise
                if self.has_blob(blob.digest):  # the answer to the last request was cut, not the request
                    return True
                blob.on_bytes(-blob.size)  # the registry has forgotten the upload: all anew
            else:
                return True
        return True

    def _go_on(self, blob: Blob, begun: Begun, what: str, chunk: int) -> bool:
        """Send what is missing of a blob whose upload was cut; tells whether the registry still knew it."""
        told = 0

        def count(size: int) -> None:
            nonlocal told
            told += size
            blob.on_bytes(size)

        session = Session(self.remote, begun.at, what=what, scopes=(self._push,), note=begun.note)
        try:
            begun.arrived = min(session.received(), blob.size)
            count(begun.arrived)
            upload(session, replace(blob, on_bytes=count), offset=begun.arrived, chunk=chunk)
        except RemoteError as error:
            if error.status not in _REFUSED:
                raise
            blob.on_bytes(-told)
            begun.arrived = 0
            return False
        return True

    def _begin(self, blob: Blob, mount_from: str, what: str) -> tuple[str, int]:
        """Begin an upload; gives where, empty when the blob could be mounted, and the smallest chunk that is taken."""
        query: dict[str, str] = {}
        scopes = [self._push]
        if mount_from:
            query = {"mount": blob.digest, "from": mount_from}
            scopes.append(f"repository:{mount_from}:pull")
        where = self._at("blobs", "uploads") + "/" + (f"?{urlencode(query)}" if query else "")
        with self.remote.ask("POST", where, what=what, scopes=scopes, body=Body()) as response:
            if response.status == _CREATED:
                return "", 0
            if response.status != _ACCEPTED_STATUS or not response.headers.get("Location"):
                raise response.refusal(hint=self._hint(response))
            smallest = response.headers.get("OCI-Chunk-Min-Length", "")
            return urljoin(response.url, response.headers["Location"]), int(smallest) if smallest.isdigit() else 0

    # -- lists --------------------------------------------------------------------------------------------------------

    def tags(self) -> tuple[str, ...]:
        """List every tag, page by page."""
        found: list[str] = []
        for page in self._pages(self._at("tags", "list"), what=f"{self.name}: tags"):
            tags = page.get("tags") or ()
            if not isinstance(tags, list):
                raise RemoteError(
                    f"{self.name}: tags: the registry's list is none", hint="is this a registry of images?"
                )
            found += map(str, tags)
        return tuple(dict.fromkeys(found))

    def referrers(self, digest: str, *, artifact_type: str = "") -> tuple[Descriptor, ...]:
        """List what refers to an image, such as signatures: by the registry's list, or a tag in place of it."""
        query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
        what = f"{self._named(digest)}: referrers"
        found: list[Descriptor] = []
        try:
            for page in self._pages(self._at("referrers", digest) + query, what=what):
                found += parse(Index, json.dumps(page).encode(), what=what).manifests
        except RemoteError as error:
            if error.status != _NOT_FOUND:
                raise
            found = list(self._fallback(digest).manifests)
        return tuple(d for d in found if not artifact_type or d.artifact_type == artifact_type)

    def attach(self, data: bytes, *, media_type: str, subject: str, listed: Descriptor) -> None:
        """Write a manifest that refers to an image (its `subject`), so that `referrers` lists it.

        A registry without the list keeps an index under a tag instead, which is read and written anew; `listed` is how
        the manifest is to stand in it.
        """
        if self.put_manifest(digest_of(data), data, media_type=media_type) == subject:
            return
        before = self._fallback(subject)
        others = tuple(d for d in before.manifests if d.digest != listed.digest)
        index = encode(Index(manifests=(*others, listed)))
        self.put_manifest(_fallback_tag(subject), index, media_type=OCI_INDEX)

    def _fallback(self, digest: str) -> Index:
        try:
            _, data = self.manifest(_fallback_tag(digest))
        except RemoteError as error:
            if error.status == _NOT_FOUND:
                return Index()
            raise
        return parse(Index, data, what=self._named(_fallback_tag(digest)))

    def _pages(self, where: str, *, what: str) -> Iterator[dict[str, object]]:
        seen: set[str] = set()
        while where and where not in seen and len(seen) < _MOST_PAGES:
            seen.add(where)
            with self.remote.ask("GET", where, what=what, scopes=(self._pull,)) as response:
                if response.status != _OK:
                    raise response.refusal(hint=self._hint(response))
                try:
                    page = json.loads(response.read(_LONGEST_LIST))
                except ValueError as error:
                    raise RemoteError(
                        f"{what}: the answer is not JSON", hint="is this a registry of images?"
                    ) from error
                further = _NEXT.search(response.headers.get("Link", ""))
            if not isinstance(page, dict):
                raise RemoteError(f"{what}: the answer is not a list", hint="is this a registry of images?")
            yield page
            where = further[1] if further else ""

    # -- words --------------------------------------------------------------------------------------------------------

    def _at(self, *words: str) -> str:
        return "/".join(["/v2", self.path, *words])

    def _named(self, reference: str) -> str:
        return f"{self.name}{'@' if ':' in reference else ':'}{reference}"

    def _hint(self, response: Response) -> str:
        if response.status == _NOT_FOUND:
            return f"'sealpy search {self.name}' lists what is there; a registry may hide what needs a login"
        return "tell whoever operates the registry" if response.status >= 500 else ""  # noqa: PLR2004 - its fault


def _fallback_tag(digest: str) -> str:
    return digest.replace(":", "-")


def _media_type(data: bytes, told: str) -> str:
    """Believe the document about its type, else the header; docker's oldest documents say it in the header alone."""
    try:
        inside = json.loads(data).get("mediaType")
    except (ValueError, AttributeError):
        inside = None
    return inside if isinstance(inside, str) and inside else told or OCI_MANIFEST
