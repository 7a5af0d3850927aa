"""TLS with registries: which certificates they may show, and whether one may speak without any."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sealpy.errors import ConfigError

__all__ = ["Tls", "is_loopback"]


@dataclass(frozen=True, slots=True)
class Tls:
    """Hold a file of authorities trusted beside those of the system, and whether no proof at all is asked for."""

    ca: Path | None = None
    insecure: bool = False

    def allows_plain(self, host: str) -> bool:
        """Tell whether bytes may go to a host unencrypted: to this machine, or where the operator said so."""
        return self.insecure or is_loopback(host)

    def context(self) -> ssl.SSLContext:
        """Make what TLS connections are opened by; raises ConfigError for a file that holds no certificate."""
        return _context(self)


@cache  # to read the authorities of the system takes 30 ms, and most registries are trusted alike
def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if tls.ca:
        try:
            context.load_verify_locations(tls.ca)
        except (OSError, ssl.SSLError) as error:
            missing = not isinstance(error, ssl.SSLError) and error.strerror
            reason = str(missing).lower() if missing else "it holds no certificate"
            hint = "name a PEM file with the certificate of the registry's authority"
            raise ConfigError(f"{tls.ca}: cannot be read: {reason}", hint=hint) from error
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def is_loopback(host: str) -> bool:
    """Tell whether a host, such as `localhost:5000` or `[::1]:5000`, is this machine."""
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
