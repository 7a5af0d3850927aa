"""All registries that one command talks to: each is asked once how it is spoken to, and logged in to once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sealpy.errors import RemoteError
from sealpy.events import Emit, Warned
from sealpy.image.manifest import Descriptor
from sealpy.image.reference import Reference
from sealpy.image.remote.credentials import Credential, Credentials
from sealpy.image.remote.remote import Remote
from sealpy.image.remote.repository import Repository
from sealpy.image.remote.settings import Setting
from sealpy.image.remote.tls import Tls
from sealpy.image.remote.transport import Transport

__all__ = ["Remotes", "Sources"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Hold where an image can be read: the mirrors in their order, and last the registry itself."""

    reference: Reference
    repositories: tuple[Repository, ...]
    emit: Emit

    def manifest(self, digest: str = "") -> tuple[Descriptor, bytes]:
        """Read what the reference means, or a digest in its repository, from the first that has it."""
        asked = digest or self.reference.digest or self.reference.tag
        *mirrors, last = self.repositories
        for mirror in mirrors:
            try:
                return mirror.manifest(asked)
            except RemoteError as error:
                self.emit(Warned(message=f"mirror {error.message}", hint=f"asking '{last.remote.name}' after it"))
        return last.manifest(asked)


class Remotes:
    """Open the door to any repository; safe to use by many threads."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        emit: Emit,
        settings: Mapping[str, Setting] | None = None,
        tls: Tls | None = None,
        keep_secret: Callable[[str], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Trust as `tls` says, which is what the command line said, and registry by registry as `settings` say."""
        self._credentials = credentials
        self._emit = emit
        self._settings = settings or {}
        self._tls = tls or Tls()
        self._keep_secret = keep_secret
        self._pause = pause
        self._known: dict[tuple[str, str], Remote] = {}
        self._lock = threading.Lock()

    def repository(self, reference: Reference) -> Repository:
        """Give the repository that a reference names, in the registry itself."""
        return Repository(self._remote(reference.domain, reference.path), reference.path)

    def sources(self, reference: Reference) -> Sources:
        """Give everything that an image may be read from."""
        mirrors = []
        for text in self._setting(reference.domain).mirrors:
            domain, _, prefix = text.partition("/")
            path = "/".join(filter(None, [prefix, reference.path]))
            mirrors.append(Repository(self._remote(domain, path), path))
        return Sources(reference, (*mirrors, self.repository(reference)), self._emit)

    def registry(self, domain: str, *, credential: Credential | None = None) -> Remote:
        """Give a registry itself; by this login instead of the one that is kept."""
        if credential is None:
            return self._remote(domain, "")
        return self._made(domain, lambda: credential)

    def chunk(self, domain: str) -> int:
        """Give how many bytes a registry takes in one request; 0 when that is not bounded."""
        return self._setting(domain).chunk

    def _setting(self, domain: str) -> Setting:
        return self._settings.get(domain, Setting())

    def _remote(self, domain: str, path: str) -> Remote:
        """Give the registry; anew for each repository only where a login is kept for that repository alone."""
        key = (domain, self._credentials.scope(domain, path))
        with self._lock:
            if key not in self._known:
                self._known[key] = self._made(domain, lambda: self._credentials.find(domain, path))
            return self._known[key]

    def _made(self, domain: str, credential: Callable[[], Credential]) -> Remote:
        setting = self._setting(domain).tls
        tls = replace(self._tls, ca=self._tls.ca or setting.ca, insecure=self._tls.insecure or setting.insecure)
        if tls.insecure:
            message = f"registry '{domain}': whoever answers under this name is trusted"
            self._emit(Warned(message=message, hint="name the authority of its certificate by --ca FILE instead"))
        transport = Transport(tls, on_retry=partial(_tell, self._emit), pause=self._pause)
        return Remote(
            domain,
            transport,
            allows_plain=tls.allows_plain(domain),
            credential=credential,
            keep_secret=self._keep_secret,
        )


def _tell(emit: Emit, why: str) -> None:
    emit(Warned(message=why))
