"""Who may use a registry, in the forms that the registry and its clients read."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sealpy.connectors.secret import Secret
from sealpy.errors import ConfigError

__all__ = ["Login"]

_LONGEST = 72  # bytes of a password that bcrypt looks at


@dataclass(frozen=True, slots=True)
class Login:
    """Hold an account of a registry; raises ConfigError for one that cannot be written down."""

    username: str
    password: Secret

    def __post_init__(self) -> None:
        if ":" in self.username or not self.username.isprintable():
            raise ConfigError(f"registry: '{self.username}' cannot be a username", hint="use no ':' and no line ends")
        if len(self.password.reveal().encode()) > _LONGEST:
            raise ConfigError(f"registry: the password of '{self.username}' is too long", hint="at most 72 bytes")

    @property
    def header(self) -> str:
        """Give the value of `Authorization`, which is secret."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode()

    @property
    def htpasswd(self) -> bytes:
        """Give the file of the registry's users; the password is in it by its bcrypt, another one each time."""
        import bcrypt  # noqa: PLC0415 - only a registry with a password needs it

        return f"{self.username}:".encode() + bcrypt.hashpw(self.password.reveal().encode(), bcrypt.gensalt()) + b"\n"
