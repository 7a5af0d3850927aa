"""Send one blob: in one piece where the registry takes it, and on from where it was cut.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-blobs
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urljoin

from sealpy.errors import RemoteError
from sealpy.image.remote.remote import Remote
from sealpy.image.remote.transport import ATTEMPTS, PIECE, Body, Response, UnreachableError

__all__ = ["Blob", "Session", "upload"]

_ATTEMPTS: Final = 5  # cuts in a row without a byte of progress
_AGAIN: Final = "push again: blobs that arrived whole are not sent again"
_TAKEN: Final = frozenset({200, 201, 202, 204})
_KEPT: Final = frozenset({200, 201, 204})
_CUT: Final = frozenset({408, 425, 429, 499, 500, 502, 503, 504})  # what the registry has got so far is still there
_TOO_LARGE: Final = 413
_OUT_OF_ORDER: Final = 416
_SMALL_CHUNK: Final = 4 << 20  # bytes; what every proxy in front of a registry lets through
_RANGE: Final = re.compile(r"(?:bytes=)?0-(\d+)")


@dataclass(frozen=True, slots=True)
class Blob:
    """Hold what is to be sent: its digest, its size, the file it stands in; `on_bytes` is told of what went out."""

    digest: str
    size: int
    file: Path
    on_bytes: Callable[[int], None] = lambda _: None


def upload(session: Session, blob: Blob, *, offset: int = 0, chunk: int = 0) -> None:
    """Send a blob, from `offset` on, to an upload that was begun; raises RemoteError in the registry's words."""
    idle = 0
    while offset < blob.size:
        end = min(offset + chunk, blob.size) if chunk else blob.size
        counted = _Counted(blob)
        try:
            session.send(counted, offset, end)
            offset, idle = end, 0
            continue
        except RemoteError as error:
            if error.status == _TOO_LARGE and not 0 < chunk <= _SMALL_CHUNK:
                chunk = _SMALL_CHUNK
            elif idle + 1 < _ATTEMPTS and (isinstance(error, UnreachableError) or error.status == _OUT_OF_ORDER):
                idle += 1
                session.wait(error.message, 0.25 * 2**idle)  # it may still be writing what has come
            else:
                raise
        arrived = min(session.received(), blob.size)
        blob.on_bytes(arrived - offset - counted.sent)
        idle = 0 if arrived > offset else idle
        offset = arrived
    session.finish(blob.digest)


class _Counted:
    """Send a part of a blob, and know how many bytes of it went out."""

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self.sent = 0

    def part(self, start: int, end: int) -> Body:
        return Body(end - start, lambda: self._pieces(start, end))

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        with self.blob.file.open("rb") as file:
            file.seek(start)
            while start < end and (piece := file.read(min(PIECE, end - start))):
                start += len(piece)
                yield piece
                self.sent += len(piece)
                self.blob.on_bytes(len(piece))


class Session:
    """Know where the next bytes of an upload go: each answer may name another place, which `note` is told."""

    def __init__(
        self, remote: Remote, at: str, *, what: str, scopes: Sequence[str], note: Callable[[str], None] = lambda _: None
    ) -> None:
        self._remote = remote
        self._what = what
        self._scopes = scopes
        self._note = note
        self._move(at)

    def wait(self, why: str, seconds: float) -> None:
        """Leave the registry alone for a while, and say why."""
        self._remote.wait(why, seconds)

    def send(self, part: _Counted, start: int, end: int) -> None:
        """Append the bytes from `start` up to `end`; raises UnreachableError when the connection was cut meanwhile."""
        headers = {"Content-Type": "application/octet-stream"}
        if (start, end) != (0, part.blob.size):
            headers["Content-Range"] = f"{start}-{end - 1}"
        with self._ask("PATCH", self._at, headers=headers, body=part.part(start, end), attempts=1) as response:
            if response.status in _CUT:
                raise UnreachableError(f"{self._what}: {response.words()}", status=response.status, hint=_AGAIN)
            if response.status not in _TAKEN:
                raise response.refusal()
            self._move(urljoin(self._at, response.headers.get("Location", "")))

    def received(self) -> int:
        """Ask how many bytes have arrived; raises RemoteError when the registry has forgotten the upload."""
        with self._ask("GET", self._at) as response:
            if response.status not in _TAKEN:
                raise response.refusal(hint=_AGAIN)
            self._move(urljoin(self._at, response.headers.get("Location", "")))
            found = _RANGE.fullmatch(response.headers.get("Range", ""))
            # registries say "0-0" for nothing as well as for one byte: to send that byte again would be an error,
            # and a cut after one byte does not happen
            return int(found[1]) + 1 if found and found[1] != "0" else 0

    def finish(self, digest: str) -> None:
        """Say that all bytes are there, and what their digest is."""
        where = f"{self._at}{'&' if '?' in self._at else '?'}{urlencode({'digest': digest})}"
        with self._ask("PUT", where, body=Body()) as response:
            if response.status not in _KEPT:
                raise response.refusal(
                    hint="the bytes that arrived are not what they were here: see 'sealpy store check'"
                )

    def _ask(
        self,
        method: str,
        where: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        attempts: int = ATTEMPTS,
    ) -> AbstractContextManager[Response]:
        return self._remote.ask(
            method, where, what=self._what, scopes=self._scopes, headers=headers, body=body, attempts=attempts
        )

    def _move(self, at: str) -> None:
        self._at = at
        self._note(at)
