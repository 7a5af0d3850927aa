"""Where a machine is and how to log in to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from sealpy.connectors.secret import Secret
from sealpy.errors import HostError

__all__ = ["HostKeyPolicy", "Target"]

HostKeyPolicy = Literal["accept-new", "strict", "insecure"]
ErrorT = TypeVar("ErrorT", bound=HostError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Describe one machine behind SSH.

    Users other than root work through sudo; `sudo_password` is the login password when it is not given. `host_keys`
    are pinned keys: a line of a `.pub` file (`ssh-ed25519 AAAA…`) or a fingerprint (`SHA256:…`); when there are any,
    nothing else is trusted. Times are seconds.
    """

    address: str
    port: int = 22
    user: str = "root"
    password: Secret | None = None
    private_key: Path | None = None
    private_key_password: Secret | None = None
    sudo_password: Secret | None = None
    host_key_policy: HostKeyPolicy = "accept-new"
    host_keys: tuple[str, ...] = ()
    connect_timeout: float = 15.0

    @property
    def endpoint(self) -> str:
        """Give address and port as messages show them: `10.0.0.5:22`, `[fd00::5]:22`."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def known_hosts_name(self) -> str:
        """Give the name under which `known_hosts` lists this machine: `10.0.0.5`, `[10.0.0.5]:2222`."""
        name = self.address.lower()
        return name if self.port == 22 else f"[{name}]:{self.port}"  # noqa: PLR2004 - the port of SSH

    def error(self, kind: type[ErrorT], message: str, *, hint: str = "") -> ErrorT:
        """Make an error whose message names address and port, and whose `host` is the address alone."""
        error = kind(self.endpoint, message, hint=hint)
        error.host = self.address
        return error
