"""ADD and APP of a URL: one file, fetched by HTTP, verified, kept beside until the layer is written."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sealpy.errors import DigestMismatchError, ImageError
from sealpy.image.remote.tls import Tls
from sealpy.image.remote.transport import Request, Response, Transport

__all__ = ["Download", "download", "name_of"]

_MOST = 1 << 40  # bytes: more is no file for an image
_AGAIN = "try again; or download it into the build context"


@dataclass(frozen=True, slots=True)
class Download:
    """Hold a file that was fetched: where it is now, its size in bytes, its checksum `sha256:…`."""

    path: Path
    size: int
    checksum: str


@dataclass(frozen=True, slots=True)
class _Plain(Tls):
    """Do without it where an address begins with http://, as its author wrote it."""

    def allows_plain(self, host: str) -> bool:  # noqa: ARG002 - any host
        return True


_NOBODY_ELSE = Tls()  # but whom the system trusts


def name_of(url: str) -> str:
    """Give the file name at the end of a URL; empty when there is none."""
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return "" if name in {".", ".."} or "/" in name else name


def download(
    url: str,
    *,
    work: Path,
    checksum: str = "",
    tls: Tls = _NOBODY_ELSE,
    begin: Callable[[int], Callable[[int], None]] = lambda _: lambda _: None,
) -> Download:
    """Fetch a URL into a new file of the directory `work`.

    `tls` says which certificates are good; an address that begins with http:// has none, as its author chose.
    `begin` receives the number of bytes that are announced (0 when nobody says) and gives the function that receives
    the number of bytes of each piece. Raises DigestMismatchError when the bytes are other than `checksum` says,
    ImageError for all else that goes wrong; what may be passing is tried again first.
    """
    transport = Transport(_Plain(tls.ca, tls.insecure) if urlsplit(url).scheme == "http" else tls)
    request = Request(method="GET", url=url, what=url, headers={"Accept-Encoding": "identity"})
    with transport.send(request) as response:
        if response.status != HTTPStatus.OK:
            raise ImageError(f"{url}: the server answers {_status(response.status)}", hint="see to the address")
        found = _kept(response, work, begin)
    if checksum and found.checksum != checksum:
        hint = f"if this is the file that is meant, write --checksum={found.checksum}"
        raise DigestMismatchError(f"{url}: its bytes are {found.checksum}, not {checksum}", hint=hint)
    return found


def _kept(response: Response, work: Path, begin: Callable[[int], Callable[[int], None]]) -> Download:
    announced = int(length) if (length := response.headers.get("Content-Length", "")).isdigit() else 0
    on_bytes = begin(announced)
    seen = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=work, delete=False) as file:
        for piece in response.pieces(_MOST):
            file.write(piece)
            seen.update(piece)
            on_bytes(len(piece))
        size = file.tell()
    if announced and size != announced:
        message = f"{response.request.url}: {size} bytes came, {announced} were announced"
        raise ImageError(message, hint=_AGAIN)
    return Download(Path(file.name), size, f"sha256:{seen.hexdigest()}")


def _status(status: int) -> str:
    known = {entry.value: entry.phrase.lower() for entry in HTTPStatus}
    return f"{status} {known.get(status, '')}".strip()
