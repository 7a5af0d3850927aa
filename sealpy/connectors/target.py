"""Where a machine is and how to log in to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from sealpy.connectors.secret import Secret
from sealpy.errors import HostError

__all__ = ["HostKeyPolicy", "Target"]

HostKeyPolicy = Literal["accept-new", "strict", "insecure"]
ErrorT = TypeVar("ErrorT", bound=HostError)

_SSH = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Describe one machine behind SSH.

    Users other than root work through sudo; `sudo_password` is the login password when it is not given. `private_key`
    must be usable; of `identity_files` those that exist are tried, and None means the usual ones of `~/.ssh`. With
    `identities_only` the agent is asked for these keys alone. `agent` is the path of its socket, `none` for no agent,
    empty for the one that the environment names.

    `host_keys` are pinned keys: a line of a `.pub` file (`ssh-ed25519 AAAA…`) or a fingerprint (`SHA256:…`); when there
    are any, nothing else is trusted. `user_known_hosts` are files that are only read, None means `~/.ssh/known_hosts`;
    `/etc/ssh/ssh_known_hosts` is read besides.

    `proxy_command` is a shell command that leads to the machine through its standard streams, instead of a connection.
    `host_name` is dialled instead of the address, and `known_as` is its name in known_hosts, when they are given.
    `jumps` are the machines on the way there, the nearest one first; theirs stay empty. Times are seconds.
    """

    address: str
    port: int = _SSH
    user: str = "root"
    password: Secret | None = None
    private_key: Path | None = None
    private_key_password: Secret | None = None
    sudo_password: Secret | None = None
    host_key_policy: HostKeyPolicy = "accept-new"
    host_keys: tuple[str, ...] = ()
    host_name: str = ""
    proxy_command: str = field(default="", repr=False)
    known_as: str = ""
    user_known_hosts: tuple[Path, ...] | None = None
    identity_files: tuple[Path, ...] | None = None
    certificate_files: tuple[Path, ...] = ()
    identities_only: bool = False
    agent: str = ""
    jumps: tuple[Target, ...] = ()
    connect_timeout: float = 15.0
    keep_alive: float = 15.0  # between signs of life; without one for four times as long the connection is given up

    @property
    def dialled(self) -> str:
        """Give the name or address that is connected to."""
        return self.host_name or self.address

    @property
    def endpoint(self) -> str:
        """Give address and port as messages show them: `10.0.0.5:22`, `[fd00::5]:22`, `10.0.0.5 (db.site:22)`."""
        where = f"[{self.dialled}]:{self.port}" if ":" in self.dialled else f"{self.dialled}:{self.port}"
        return where if self.dialled == self.address else f"{self.address} ({where})"

    @property
    def known_hosts_name(self) -> str:
        """Give the name under which `known_hosts` lists this machine: `10.0.0.5`, `[10.0.0.5]:2222`."""
        if self.known_as:
            return self.known_as.lower()
        name = self.dialled.lower()
        return name if self.port == _SSH else f"[{name}]:{self.port}"

    @property
    def certified_name(self) -> str:
        """Give the name that a certificate of its key is to be for: as in known_hosts, without the port."""
        return (self.known_as or self.dialled).lower()

    def error(self, kind: type[ErrorT], message: str, *, hint: str = "") -> ErrorT:
        """Make an error whose message names address and port, and whose `host` is the address alone."""
        error = kind(self.endpoint, message, hint=hint)
        error.host = self.address
        return error
