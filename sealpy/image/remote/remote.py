"""One registry, by every address under which it is reached: its mirrors first, then itself."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final
from urllib.parse import urljoin

from sealpy.errors import RemoteError
from sealpy.image.remote.auth import Authorizer, login_refused
from sealpy.image.remote.credentials import Credential
from sealpy.image.remote.transport import Body, Request, Response, Transport, UnreachableError, origin

__all__ = ["Remote"]

_HUB: Final = ("docker.io", "registry-1.docker.io")
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403


class Remote:
    """Speak to one registry under one address; safe to use by many threads."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        *,
        allows_plain: bool,
        credential: Callable[[], Credential],
        keep_secret: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Nothing is asked yet; `credential` is looked for when the registry demands one."""
        self.name = name
        self._host = _HUB[1] if name == _HUB[0] else name
        self._transport = transport
        self._allows_plain = allows_plain
        self._credential = credential
        self._keep_secret = keep_secret
        self._authorizer: Authorizer | None = None
        self._base = ""
        self._lock = threading.Lock()

    @property
    def base(self) -> str:
        """Give the address of the registry, such as `https://registry.example.com`; asks once how it is spoken to."""
        with self._lock:
            if not self._base:
                self._base = self._find_base()
            return self._base

    def ping(self) -> None:
        """Ask whether the registry is one and lets us in; raises RemoteError that says why not."""
        with self.ask("GET", "/v2/", what=f"registry '{self.name}'") as response:
            if response.status != 200:  # noqa: PLR2004 - HTTP's OK
                raise response.refusal(hint=f"is '{self.name}' a registry of images?")

    def wait(self, why: str, seconds: float) -> None:
        """Leave the registry alone for a while, and say why."""
        self._transport.wait(why, seconds)

    @contextmanager
    def ask(  # one request, as one reads it
        self,
        method: str,
        where: str,
        *,
        what: str,
        scopes: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        attempts: int = 5,
    ) -> Iterator[Response]:
        """Send a request to a path or URL of this registry, with a login where it is demanded.

        Raises RemoteAuthError when the login is refused or missing, else what `Transport.send` raises.
        """
        url = urljoin(self.base + "/", where)
        with ExitStack() as stack:
            for last in (False, True):
                request = Request(
                    method=method,
                    url=url,
                    what=what,
                    headers=headers or {},
                    authorization=self._authorization(url, scopes),
                    body=body,
                )
                response = stack.enter_context(self._transport.send(request, attempts=attempts))
                if response.status != _UNAUTHORIZED or last or not self._learn(response, scopes, request):
                    break
            if response.status == _UNAUTHORIZED or (response.status == _FORBIDDEN and method != "HEAD"):
                raise self._refusal(response)
            yield response

    def _authorization(self, url: str, scopes: Sequence[str]) -> str:
        ours = self._authorizer and origin(url) == origin(self.base)
        return self._authorizer.header(scopes) if ours and self._authorizer else ""

    def _learn(self, response: Response, scopes: Sequence[str], request: Request) -> bool:
        """Take in what the registry demands; tells whether another try may help."""
        with self._lock:
            if self._authorizer is None:
                self._authorizer = Authorizer(
                    self._transport, self._credential(), name=self.name, keep_secret=self._keep_secret
                )
        promising = self._authorizer.refused(request.authorization, scopes)
        self._authorizer.learn(response.headers.get("WWW-Authenticate", ""))
        return promising

    def _refusal(self, response: Response) -> RemoteError:
        credential = self._authorizer.credential if self._authorizer else Credential()
        if response.status == _UNAUTHORIZED or not credential:
            return login_refused(self.name, credential, response.words(), status=response.status)
        return response.refusal(hint=f"'{credential.user or 'this login'}' may not do that in '{self.name}'")

    def _find_base(self) -> str:
        """Try TLS; where plain HTTP is allowed, fall back to it when the other side does not speak TLS."""
        what = f"registry '{self.name}'"
        secure = f"https://{self._host}"
        try:
            with self._transport.send(Request(method="GET", url=f"{secure}/v2/", what=what), attempts=3) as response:
                return self._met(secure, response)
        except UnreachableError as error:
            if not self._allows_plain or not _speaks_no_tls(error):
                raise
        plain = f"http://{self._host}"
        with self._transport.send(Request(method="GET", url=f"{plain}/v2/", what=what), attempts=3) as response:
            return self._met(plain, response)

    def _met(self, base: str, response: Response) -> str:
        """Learn from the first answer what the registry demands."""
        if response.status == _UNAUTHORIZED and response.headers.get("WWW-Authenticate"):
            self._authorizer = Authorizer(
                self._transport, self._credential(), name=self.name, keep_secret=self._keep_secret
            )
            self._authorizer.learn(response.headers["WWW-Authenticate"])
        return base


def _speaks_no_tls(error: UnreachableError) -> bool:
    """Tell whether the other side answered TLS with something else; a bad certificate is not that."""
    inner: BaseException | None = error
    while inner:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return False
        if isinstance(inner, (ssl.SSLError, ConnectionResetError)):
            return True
        inner = inner.__cause__ or inner.__context__
    return False
