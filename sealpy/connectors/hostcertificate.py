"""What an authority says of a machine's key: OpenSSH's certificates, for `@cert-authority` lines of known_hosts."""

from __future__ import annotations

import base64
import fnmatch
import time
from collections.abc import Iterable
from typing import Any

__all__ = ["HostCertificate"]

_RSA_SHA1 = b"ssh-rsa"
_EVER = 1 << 40  # seconds since 1970; what lies behind has no date that one could write


class HostCertificate:
    """Read the bytes of a certificate; raises ValueError for what is none."""

    def __init__(self, blob: bytes) -> None:
        # These come with paramiko, and as late: `sealpy --help` has 150 ms.
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import ssh  # noqa: PLC0415

        try:
            found = ssh.load_ssh_public_identity(_string(blob) + b" " + base64.b64encode(blob))
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from error
        if not isinstance(found, ssh.SSHCertificate):
            raise ValueError("it is a key, not a certificate")  # noqa: TRY004 - its bytes are wrong, not their type
        self._certificate = found
        self._blob = blob

    @property
    def authority(self) -> bytes:
        """Give the public key of who has signed it, in the form of SSH."""
        return _bytes_of(self._certificate.signature_key())

    def flaw(self, key: bytes, name: str, *, now: float | None = None) -> str:
        """Say why it does not speak for this key of the machine of this name; empty when it does."""
        certificate = self._certificate
        from_, to = certificate.valid_after, certificate.valid_before
        if self._is_forged():
            return "its signature is wrong"
        if certificate.type.name != "HOST":
            return "it is one of a user"
        if _bytes_of(certificate.public_key()) != key:
            return "it is of another key"
        if certificate.critical_options:
            return f"it demands {_listed(certificate.critical_options)}, which is not known here"
        if not from_ <= (time.time() if now is None else now) < to:
            return f"it is valid from {_day(from_)} to {_day(to)}"
        names = certificate.valid_principals
        return f"it is for {_listed(names)}" if names and not _among(name, names) else ""

    def _is_forged(self) -> bool:
        """Tell whether the authority has not signed it, or in a way in which others can, too."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

        authority = self.authority
        _, _, signature = self._blob.rpartition(len(authority).to_bytes(4, "big") + authority)
        if _string(signature[4:]) == _RSA_SHA1:
            return True
        try:
            self._certificate.verify_cert_signature()
        except InvalidSignature:
            return True
        return False


def _bytes_of(key: Any) -> bytes:
    """Give a public key in the form of SSH; every type of key has this method."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    return base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def _string(data: bytes) -> bytes:
    """Read a text with its length before it."""
    return data[4 : 4 + int.from_bytes(data[:4], "big")]


def _among(name: str, principals: Iterable[bytes]) -> bool:
    """Tell whether a name is one of these, in which `*` and `?` are wild."""
    patterns = (principal.decode(errors="replace").lower().replace("[", "[[]") for principal in principals)
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _listed(names: Iterable[bytes]) -> str:
    return ", ".join(repr(name.decode(errors="replace")) for name in names)


def _day(seconds: int) -> str:
    if not 0 < seconds < _EVER:
        return "ever"
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
