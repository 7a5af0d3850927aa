"""Fetch published files: resumed where a former try ended, and never used unless their SHA-256 is right."""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from sealpy.errors import DigestMismatchError, SealpyError

__all__ = ["Site"]

_HINT = "try again, give a mirror with --release-url, or build it here: --from source"
_PIECE = 1 << 20
_SUM = re.compile(r"\b[0-9a-f]{64}\b")
_TRIES = 3
_PARTIAL, _CANNOT_RESUME = 206, 416


@dataclass(frozen=True, slots=True)
class Site:
    """Reach the release sites, or a mirror that holds each of them below its host name."""

    mirror: str = ""
    timeout: float = 30.0

    def address(self, url: str) -> str:
        """Give the address to ask: `https://dl.k8s.io/x` is `<mirror>/dl.k8s.io/x` on a mirror."""
        if not self.mirror:
            return url
        parts = urlsplit(url)
        return f"{self.mirror.rstrip('/')}/{parts.netloc}{parts.path}"

    def reachable(self, url: str) -> bool:
        """Tell whether an address answers."""
        try:
            self.text(url)
        except SealpyError:
            return False
        return True

    def text(self, url: str) -> str:
        """Fetch a short text; raises SealpyError."""
        try:
            with self._open(self.address(url)) as answer:
                return answer.read(_PIECE).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(self.address(url), error) from error

    def published_sum(self, checksum_url: str, *, name: str) -> str:
        """Fetch the SHA-256 of a file from a file of sums: the sum alone, or lines of sum and name."""
        lines = [line for line in self.text(checksum_url).splitlines() if _SUM.search(line.lower())]
        named = [line for line in lines if line.split()[-1].lstrip("*").rpartition("/")[2] == name]
        candidates = named or (lines if len(lines) == 1 and len(lines[0].split()) == 1 else [])
        if len(candidates) != 1:
            raise SealpyError(f"{self.address(checksum_url)}: holds no SHA-256 of {name!r}", hint=_HINT)
        found = _SUM.search(candidates[0].lower())
        return found.group() if found else ""

    def fetch(self, url: str, *, sha256: str, into: Path) -> Path:
        """Fetch a file, and give its path; raises DigestMismatchError if it is not what its sum says, SealpyError."""
        whole = into / sha256 / PurePosixPath(urlsplit(url).path).name
        if whole.is_file():
            return whole
        whole.parent.mkdir(parents=True, exist_ok=True)
        part = whole.with_name(f"{whole.name}.part")
        self._fill(self.address(url), part)
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            part.unlink()
            raise DigestMismatchError(f"{self.address(url)}: its SHA-256 is {found}, not {sha256}", hint=_HINT)
        part.rename(whole)
        return whole

    def _fill(self, address: str, part: Path) -> None:
        """Go on with a file until it is as long as the server says."""
        for attempt in range(1, _TRIES + 1):
            try:
                self._continue(address, part)
            except urllib.error.HTTPError as error:
                if error.code != _CANNOT_RESUME:
                    raise _unreachable(address, error) from error
                part.unlink()  # longer than the file there: another file
            except (OSError, http.client.HTTPException) as error:
                if attempt == _TRIES:
                    raise _unreachable(address, error) from error
            else:
                return
        raise SealpyError(f"{address}: could not be fetched whole", hint=_HINT)

    def _continue(self, address: str, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        with self._open(address, start=have) as answer, part.open("ab") as file:
            if answer.status != _PARTIAL:
                file.truncate(0)  # the server sends it from the beginning
            missing = int(answer.headers["Content-Length"] or 0)
            while piece := answer.read(_PIECE):
                file.write(piece)
                missing -= len(piece)
        if missing > 0:
            raise http.client.IncompleteRead(b"", missing)

    def _open(self, address: str, *, start: int = 0) -> http.client.HTTPResponse:
        if urlsplit(address).scheme not in {"http", "https"}:
            raise SealpyError(f"{address!r}: not an http address", hint="write https://…")
        request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310 - the scheme was checked
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=self.timeout)  # noqa: S310 - likewise
        return answer


def _unreachable(address: str, error: Exception) -> SealpyError:
    why = f"{error.code} {error.reason}" if isinstance(error, urllib.error.HTTPError) else str(error)
    return SealpyError(f"{address}: {why}", hint=_HINT)
