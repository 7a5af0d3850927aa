"""How a registry wants to be convinced: not at all, by user and password, or by a token that a third party gives out.

Source: https://distribution.github.io/distribution/spec/auth.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from sealpy.errors import RemoteAuthError, RemoteError
from sealpy.image.remote.credentials import Credential
from sealpy.image.remote.transport import Body, Request, Transport

__all__ = ["Authorizer", "Challenge", "challenges", "login_refused"]

_SCHEME: Final = re.compile(r"\s*,?\s*([A-Za-z][\w-]*)(?:\s+|$)")
_PARAMETER: Final = re.compile(r'\s*,?\s*([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SHORTEST_LIFE: Final = 60  # seconds that a token lives when its giver does not say
_SLACK: Final = 5  # seconds before its end at which a token is not used any more
_LONGEST: Final = 1 << 20  # bytes of an answer with a token


@dataclass(frozen=True, slots=True)
class Challenge:
    """Hold one way in that a registry offers: its scheme in lower case, its parameters."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges(header: str) -> tuple[Challenge, ...]:
    """Read a `WWW-Authenticate` header, which may offer several ways; what cannot be read ends the list."""
    found: list[Challenge] = []
    at = 0
    while scheme := _SCHEME.match(header, at):
        at = scheme.end()
        parameters = {}
        while parameter := _PARAMETER.match(header, at):
            at = parameter.end()
            quoted, bare = parameter[2], parameter[3]
            parameters[parameter[1].lower()] = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        found.append(Challenge(scheme[1].lower(), parameters))
    return tuple(found)


class Authorizer:
    """Give the `Authorization` header for requests to one registry; safe to use by many threads."""

    def __init__(
        self,
        transport: Transport,
        credential: Credential,
        *,
        name: str,
        keep_secret: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._credential = credential
        self._name = name
        self._keep_secret = keep_secret
        self._clock = clock
        self._challenge: Challenge | None = None
        self._tokens: dict[tuple[str, ...], tuple[str, float]] = {}
        self._lock = threading.Lock()

    @property
    def credential(self) -> Credential:
        """Give the login that is used."""
        return self._credential

    def learn(self, header: str) -> None:
        """Take in what a registry demands; raises RemoteAuthError for a demand that nobody here can meet."""
        offered = {challenge.scheme: challenge for challenge in reversed(challenges(header))}
        self._challenge = offered.get("bearer") or offered.get("basic")
        if not self._challenge:
            ways = ", ".join(sorted(offered)) or "nothing"
            raise RemoteAuthError(
                f"registry '{self._name}': it asks for {ways}", hint="only basic and bearer are known"
            )

    def header(self, scopes: Sequence[str]) -> str:
        """Give the header for these scopes, such as `repository:team/shop:pull`; empty when none is demanded."""
        match self._challenge:
            case Challenge(scheme="basic") if self._credential.user:
                return self._basic()
            case Challenge(scheme="bearer") as challenge:
                return f"Bearer {self._token(challenge, tuple(scopes))}"
            case _:
                return ""

    def refused(self, header: str, scopes: Sequence[str]) -> bool:
        """Forget the token of a header that was refused; tells whether another try may help.

        Several threads may be refused by the same token: the first forgets it, the others use the next one.
        """
        with self._lock:
            token, _ = self._tokens.get(tuple(scopes), ("", 0.0))
            if header == f"Bearer {token}":
                self._tokens.pop(tuple(scopes))
        return not header or header.startswith("Bearer ")

    def _basic(self) -> str:
        plain = f"{self._credential.user}:{self._credential.password.reveal()}"
        return f"Basic {base64.b64encode(plain.encode()).decode()}"

    def _token(self, challenge: Challenge, scopes: tuple[str, ...]) -> str:
        with self._lock:  # the others wait, and then use the same token
            token, until = self._tokens.get(scopes, ("", 0.0))
            if not token or self._clock() >= until:
                token, life = self._fetch(challenge, scopes)
                self._keep_secret(token)
                self._tokens[scopes] = token, self._clock() + max(life - _SLACK, 1)
            return token

    def _fetch(self, challenge: Challenge, scopes: tuple[str, ...]) -> tuple[str, float]:
        what = f"registry '{self._name}': token"
        realm = challenge.parameters.get("realm", "")
        if not realm:
            raise RemoteAuthError(
                f"{what}: it does not say where to get one", hint="tell whoever operates the registry"
            )
        with self._transport.send(self._question(challenge, realm, scopes, what)) as response:
            if response.status in {401, 403}:
                raise self._refusal(response.words(), response.status)
            if response.status != 200:  # noqa: PLR2004 - HTTP's OK
                raise response.refusal(hint="try again later, or tell whoever operates the registry")
            try:
                found: Any = json.loads(response.read(_LONGEST))
                token = str(found.get("token") or found["access_token"])
                return token, float(found.get("expires_in") or _SHORTEST_LIFE)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise RemoteError(f"{what}: the answer holds none", hint="tell whoever operates the registry") from None

    def _question(self, challenge: Challenge, realm: str, scopes: tuple[str, ...], what: str) -> Request:
        """Ask for a token: by identity token as OAuth 2 does, by user and password, or as nobody."""
        service = challenge.parameters.get("service", "")
        asked = scopes or tuple(filter(None, [challenge.parameters.get("scope", "")]))
        if self._credential.identity_token:
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": "sealpy",
                "scope": " ".join(asked),
                "refresh_token": self._credential.identity_token.reveal(),
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return Request(method="POST", url=realm, what=what, headers=headers, body=Body.of(urlencode(form).encode()))
        query = [("service", service)] if service else []
        query += [("scope", scope) for scope in asked]
        if self._credential.user:
            query.append(("account", self._credential.user))
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        authorization = self._basic() if self._credential.user else ""
        return Request(method="GET", url=url, what=what, authorization=authorization)

    def _refusal(self, words: str, status: int) -> RemoteAuthError:
        return login_refused(self._name, self._credential, words, status=status)


def login_refused(name: str, credential: Credential, words: str, *, status: int) -> RemoteAuthError:
    """Make the error for a login that was refused, or that was missing."""
    if credential:
        who = f"the login as '{credential.user}'" if credential.user else "the login by token"
        message = f"registry '{name}': {who} was refused: {words}"
        where = f"it was found in {credential.source}; " if credential.source else ""
        return RemoteAuthError(message, status=status, hint=f"{where}log in again: sealpy login {name}")
    message = f"registry '{name}': it wants a login: {words}"
    return RemoteAuthError(message, status=status, hint=f"log in: sealpy login {name}")
