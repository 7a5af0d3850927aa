"""HTTP with a registry: tried again where that may help, redirected with care, refused in the registry's own words.

Credentials go to the host they are for and to no other: a redirect to another host is followed without them.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError, SSLError

from sealpy import __version__
from sealpy.errors import RemoteError, SealpyError
from sealpy.image.remote.tls import Tls, is_loopback

__all__ = ["ATTEMPTS", "PIECE", "Body", "Request", "Response", "Transport", "UnreachableError", "origin"]

ATTEMPTS: Final = 5
_LONGEST_PAUSE: Final = 60.0  # seconds; a registry that asks for more is not waited for
_MOST_REDIRECTS: Final = 8
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_ERROR: Final = 64 << 10  # bytes of an error page that are read
_TIMEOUT: Final = urllib3.Timeout(connect=10, read=60)
PIECE: Final = 1 << 20


class UnreachableError(RemoteError):
    """Report that no answer came; `cause` is what the connection failed with."""

    code = "image.remote.unreachable"
    retryable = True


@dataclass(frozen=True, slots=True)
class Body:
    """Hold what is sent: how many bytes, and how to get them, once for each attempt."""

    size: int = 0
    pieces: Callable[[], Iterator[bytes]] = lambda: iter(())

    @classmethod
    def of(cls, data: bytes) -> Body:
        """Send bytes that are in memory."""
        return cls(len(data), lambda: iter((data,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Say what is asked; `what` names it in messages, such as `shop:1: manifest`."""

    method: str
    url: str
    what: str
    headers: Mapping[str, str] = field(default_factory=dict)
    authorization: str = field(default="", repr=False)
    body: Body | None = None


class Response:
    """Hold an answer whose body has not been read yet."""

    def __init__(self, raw: urllib3.BaseHTTPResponse, request: Request, *, url: str) -> None:
        self._raw = raw
        self.request = request
        self.url = url
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers

    def read(self, most: int) -> bytes:
        """Read the body whole; raises RemoteError when it has more than `most` bytes or ends too soon."""
        data = b"".join(self.pieces(most + 1))
        if len(data) > most:
            raise RemoteError(
                f"{self.request.what}: the registry sends more than {most} bytes", hint="is this a registry of images?"
            )
        return data

    def pieces(self, most: int) -> Iterator[bytes]:
        """Yield at most so many bytes of the body as they come; raises UnreachableError for one that is cut."""
        while most > 0:
            try:
                piece = self._raw.read1(min(PIECE, most), decode_content=False)  # what came before a cut is not lost
            except (HTTPError, OSError) as error:
                raise UnreachableError(f"{self.request.what}: the connection was cut", hint=_AGAIN) from error
            if not piece:
                return
            most -= len(piece)
            yield piece

    def refusal(self, *, hint: str = "") -> RemoteError:
        """Make the error that says in the registry's own words why it refused."""
        return RemoteError(f"{self.request.what}: {self.words()}", status=self.status, hint=hint)

    def words(self) -> str:
        """Say what the registry answered: `manifest unknown (404 MANIFEST_UNKNOWN)`, or the status alone."""
        name = f"{self.status} {_phrase(self.status)}".strip()
        try:
            told = list(json.loads(b"".join(self.pieces(_LONGEST_ERROR)))["errors"])
            said = [(str(one.get("message") or ""), str(one.get("code") or "")) for one in told]
        except (ValueError, KeyError, TypeError, AttributeError, RemoteError):
            return name
        parts = [f"{_plain(message or code.lower())} ({self.status} {_plain(code)})" for message, code in said]
        return "; ".join(parts) or name

    def close(self) -> None:
        """Give the connection back, or end it when there is more in it than is worth reading."""
        left = self._raw.length_remaining
        if left is not None and left <= _LONGEST_ERROR:
            self._raw.drain_conn()
        else:
            self._raw.close()
        self._raw.release_conn()


_AGAIN: Final = "try again: what has arrived is kept"


class Transport:
    """Exchange requests and responses with one registry and those it leads to; safe to use by many threads."""

    def __init__(
        self,
        tls: Tls,
        *,
        connections: int = 8,
        on_retry: Callable[[str], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tls = tls
        self._connections = connections
        self._on_retry = on_retry
        self._pause = pause
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._context = tls.context()

    @contextmanager
    def send(self, request: Request, *, attempts: int = ATTEMPTS) -> Iterator[Response]:
        """Exchange a request for a response, which is given back when the block ends.

        What may be passing (no answer, 429, 5xx) is tried again after a pause: the one that the registry asks for, or
        a longer one each time. Raises UnreachableError when no answer came, RemoteError for redirects that lead
        nowhere. Any other status is the caller's.
        """
        response = self._tried(request, attempts)
        try:
            yield response
        finally:
            response.close()

    def _tried(self, request: Request, attempts: int) -> Response:
        for attempt in range(1, attempts):
            pause = 0.5 * 2 ** (attempt - 1)
            try:
                response = self._followed(request)
            except UnreachableError as error:
                if isinstance(error.__cause__, (SSLError, NewConnectionError, ProxyError)):
                    raise  # nobody is there, or not who should be: asking again does not help
                self.wait(error.message, pause)
                continue
            if response.status not in _PASSING:
                return response
            asked = _retry_after(response.headers.get("Retry-After", ""))
            if asked > _LONGEST_PAUSE:
                return response
            self.wait(f"{request.what}: {response.words()}", max(asked, pause))
            response.close()
        return self._followed(request)

    def wait(self, why: str, seconds: float) -> None:
        """Leave the registry alone for a while, and say why."""
        self._on_retry(f"{why}; again in {seconds:g} s")
        self._pause(seconds)

    def _followed(self, request: Request) -> Response:
        """Follow redirects of what only reads."""
        url, seen = request.url, {request.url}
        while True:
            response = self._once(request, url)
            target = response.headers.get("Location", "")
            if response.status not in _REDIRECTS or request.method not in {"GET", "HEAD"} or not target:
                return response
            response.close()
            url = urljoin(url, target)
            if url in seen:
                raise RemoteError(f"{request.what}: the registry redirects in a circle", hint=_OPERATOR)
            if len(seen) > _MOST_REDIRECTS:
                raise RemoteError(f"{request.what}: more than {_MOST_REDIRECTS} redirects", hint=_OPERATOR)
            seen.add(url)

    def _once(self, request: Request, url: str) -> Response:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise RemoteError(f"{request.what}: the registry leads to {_plain(url)!r}", hint=_OPERATOR)
        if parts.scheme == "http" and not self._tls.allows_plain(parts.netloc):
            hint = "give --insecure if the way to it is safe"
            raise RemoteError(f"{request.what}: '{parts.netloc}' would be spoken to without TLS", hint=hint)
        headers = {"User-Agent": f"sealpy/{__version__}", **request.headers}
        if request.authorization and origin(url) == origin(request.url):
            headers["Authorization"] = request.authorization
        if request.body is not None:
            headers["Content-Length"] = str(request.body.size)
        try:
            raw = self._pool(url).urlopen(
                request.method,
                url,
                headers=headers,
                body=request.body.pieces() if request.body is not None else None,
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
                timeout=_TIMEOUT,
            )
        except (HTTPError, OSError) as error:
            raise self._unreachable(request, parts.netloc, error) from error
        return Response(raw, request, url=url)

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Give the pool of connections for an address: directly, or by the proxy that the surroundings name."""
        parts = urlsplit(url)
        direct = is_loopback(parts.netloc) or proxy_bypass(parts.hostname or "")
        proxy = "" if direct else getproxies().get(parts.scheme, "")
        if proxy not in self._pools:
            if self._tls.insecure:
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the operator was told once
            options: Any = {"maxsize": self._connections, "ssl_context": self._context, "blocksize": PIECE}
            made = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
            self._pools.setdefault(proxy, made)
        return self._pools[proxy]

    def _unreachable(self, request: Request, host: str, error: Exception) -> UnreachableError:
        reason = _reason(error)
        whom = f"'{host}'"
        match error:
            case SSLError() if "mismatch" in reason:
                hint = "use a name that its certificate is for; --insecure trusts whoever answers"
            case SSLError() if "verify failed" in reason:
                hint = "name the authority of its certificate by --ca FILE; --insecure trusts whoever answers"
            case SSLError():
                hint = "if it speaks plain HTTP and the way to it is safe, give --insecure"
            case ProxyError():
                whom, hint = f"the proxy on the way to '{host}'", "see to HTTPS_PROXY and NO_PROXY"
            case _:
                hint = f"see that this machine reaches '{host}', and try again"
        return UnreachableError(f"{request.what}: no answer from {whom}: {reason}", hint=hint)


_OPERATOR: Final = "tell whoever operates the registry"


def origin(url: str) -> tuple[str, str]:
    """Give what credentials are for: scheme and host with port."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return parts.scheme, f"{parts.hostname}:{port}"


def _retry_after(value: str) -> float:
    """Read how many seconds a registry wants to be left alone: a number, or a date."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return ""


def _reason(error: Exception) -> str:
    """Say in a few words why a connection failed: the innermost cause that is not ours, without Python's names."""
    inner: BaseException = error
    while (deeper := inner.__cause__ or inner.__context__) and not isinstance(deeper, SealpyError):
        inner = deeper
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return _plain(re.sub(r"^\[[^\]]*\] |\s*\(_ssl\.c:\d+\)", "", str(text))).lower().rstrip(".")


def _plain(text: str) -> str:
    """Make foreign words safe to show: on one line, without what moves a terminal's cursor, not too long."""
    return "".join(char if char.isprintable() else " " for char in text)[:300].strip()
