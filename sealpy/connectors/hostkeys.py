"""Which machine is behind an address: known_hosts, pinned keys, and what happens when a key is other than known.

Trust is decided here, before any secret is sent. Our own file is written, the user's `~/.ssh/known_hosts` is only read.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sealpy.connectors.hostcertificate import HostCertificate
from sealpy.connectors.target import Target
from sealpy.disk import alone, make_private, reason_of
from sealpy.errors import HostKeyError
from sealpy.events import Emit, HostKeyAccepted, Warned

__all__ = ["HostKey", "HostKeys"]

_Marker = Literal["", "@revoked", "@cert-authority"]
_MARKERS: Mapping[str, _Marker] = {"": "", "@revoked": "@revoked", "@cert-authority": "@cert-authority"}


@dataclass(frozen=True, slots=True)
class HostKey:
    """Hold the public key that a machine shows: its type, such as `ssh-ed25519`, its bytes, and what certifies it."""

    algorithm: str
    blob: bytes
    certificate: bytes = field(default=b"", compare=False)

    @property
    def fingerprint(self) -> str:
        """Give the fingerprint as OpenSSH shows it: `SHA256:…`."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"

    def __str__(self) -> str:
        return f"{self.algorithm} {base64.b64encode(self.blob).decode()}"


@dataclass(frozen=True, slots=True)
class _Line:
    """Hold one line of a known_hosts file."""

    file: Path
    key: HostKey
    marker: _Marker


class HostKeys:
    """Decide whether a machine is the one it is said to be."""

    def __init__(self, target: Target, *, known_hosts: Path, user_known_hosts: Sequence[Path], emit: Emit) -> None:
        """Take our own file, which is written, and those of the user, which are only read."""
        self._target = target
        self._own = known_hosts
        self._files = (known_hosts, *user_known_hosts)
        self._emit = emit

    def algorithms(self) -> tuple[str, ...]:
        """Give the types of the keys that are known, so that the machine is asked for one of these."""
        pinned = (words[0] for pin in self._target.host_keys if len(words := pin.split()) > 1)
        known = (line.key.algorithm for line in self._known() if not line.marker)
        return tuple(dict.fromkeys((*pinned,) if self._target.host_keys else known))

    @property
    def has_authority(self) -> bool:
        """Tell whether the machine is to be asked for a certificate, since somebody is known who may have made one."""
        return not self._target.host_keys and any(line.marker == "@cert-authority" for line in self._known())

    def check(self, key: HostKey) -> None:
        """Accept the key or raise HostKeyError; a key seen for the first time is written down and shown."""
        target = self._target
        if target.host_key_policy == "insecure":
            self._emit(Warned(host=target.address, message=f"host key not checked: {key.algorithm} {key.fingerprint}"))
            return
        known = self._known()
        self._refuse_revoked(key, known)
        if target.host_keys:
            self._check_pinned(key)
            return
        if self._is_certified(key, known):
            return
        trusted = [line for line in known if not line.marker]
        if any(line.key == key for line in trusted):
            return
        if trusted:
            raise self._changed(key, trusted)
        if target.host_key_policy == "strict":
            raise target.error(
                HostKeyError,
                f"host key {key.algorithm} {key.fingerprint} is unknown and the policy is 'strict'",
                hint=f"compare the fingerprint with the machine's, then add this line to {self._own}: "
                f"{target.known_hosts_name} {key}",
            )
        self._accept(key)

    def _refuse_revoked(self, key: HostKey, known: Iterable[_Line]) -> None:
        revoked = {line.key.blob for line in known if line.marker == "@revoked"}
        if not revoked:
            return
        hint = "do not connect to this machine"
        if key.blob in revoked:
            raise self._target.error(HostKeyError, f"host key {key.fingerprint} is revoked", hint=hint)
        if key.certificate and self._certificate(key).authority in revoked:
            what = f"the authority that certifies host key {key.fingerprint} is revoked"
            raise self._target.error(HostKeyError, what, hint=hint)

    def _is_certified(self, key: HostKey, known: Iterable[_Line]) -> bool:
        """Tell whether an authority that is trusted for this machine speaks for the key.

        What others say of it is passed over, and the key is one like any other then, as in OpenSSH.
        """
        authorities = {line.key.blob for line in known if line.marker == "@cert-authority"}
        if not (authorities and key.certificate):
            return False
        certificate = self._certificate(key)
        if certificate.authority not in authorities:
            return False
        if flaw := certificate.flaw(key.blob, self._target.certified_name):
            raise self._refuse_certificate(key, flaw)
        return True

    def _certificate(self, key: HostKey) -> HostCertificate:
        try:
            return HostCertificate(key.certificate)
        except ValueError as error:
            raise self._refuse_certificate(key, str(error)) from error

    def _refuse_certificate(self, key: HostKey, flaw: str) -> HostKeyError:
        name = self._target.certified_name
        return self._target.error(
            HostKeyError,
            f"the certificate of host key {key.fingerprint} does not hold: {flaw}",
            hint=f"let its authority sign the key anew: ssh-keygen -s AUTHORITY -I {name} -h -n {name} KEY.pub",
        )

    def _check_pinned(self, key: HostKey) -> None:
        if any(_pin_matches(pin, key) for pin in self._target.host_keys):
            return
        raise self._target.error(
            HostKeyError,
            f"host key {key.algorithm} {key.fingerprint} is none of the pinned ones",
            hint="if the machine was installed anew, put its new key in `hostKeys:` of the Clusterfile",
        )

    def _changed(self, key: HostKey, known: Iterable[_Line]) -> HostKeyError:
        name = self._target.known_hosts_name
        files = dict.fromkeys(line.file for line in known)
        commands = " && ".join(shlex.join(("ssh-keygen", "-R", name, "-f", str(file))) for file in files)
        before = ", ".join(dict.fromkeys(f"{line.key.algorithm} {line.key.fingerprint}" for line in known))
        return self._target.error(
            HostKeyError,
            f"host key has changed: known {before}, now {key.algorithm} {key.fingerprint}",
            hint=f"somebody may be in between; only if you know that the machine was installed anew: {commands}",
        )

    def _accept(self, key: HostKey) -> None:
        """Write the key down, once, also when other connections or programs do the same now."""
        try:
            self._write_down(key)
        except OSError as error:  # one that is not remembered would be new each time, whose ever it is
            reason = reason_of(error)
            raise self._target.error(
                HostKeyError,
                f"host key {key.algorithm} {key.fingerprint} is new, and cannot be written down: "
                f"{error.filename or self._own}: {reason}",
                hint="compare the fingerprint with the machine's, then pin it by `hostKeys:` of the Clusterfile; "
                "or see to it that the file can be written",
            ) from error

    def _write_down(self, key: HostKey) -> None:
        make_private(self._own.parent)
        with alone(self._own) as file:
            trusted = [line for line in _lines(self._own, self._target.known_hosts_name) if not line.marker]
            if any(line.key == key for line in trusted):
                return
            if trusted:  # another connection has met another machine under this name, just now
                raise self._changed(key, trusted)
            content = file.read()
            gap = "\n" if content and not content.endswith(b"\n") else ""
            file.write(f"{gap}{self._target.known_hosts_name} {key}\n".encode())
        self._emit(HostKeyAccepted(host=self._target.address, algorithm=key.algorithm, fingerprint=key.fingerprint))

    def _known(self) -> list[_Line]:
        name, plain = self._target.known_hosts_name, self._target.certified_name
        try:
            return [line for file in self._files for line in _lines(file, name, plain=plain)]
        except OSError as error:
            reason = reason_of(error)
            message = f"{error.filename}, which says whose host keys are known, cannot be read: {reason}"
            raise self._target.error(HostKeyError, message, hint="see to its owner and mode") from error


def _lines(file: Path, name: str, *, plain: str = "") -> Iterator[_Line]:
    """Read what a known_hosts file says of a machine; lines that OpenSSH would pass over are.

    Those with a marker speak of it by its `plain` name too, without the port.

    The name is looked for first: of a thousand machines each reads the lines of all.
    """
    try:
        text = file.read_text("utf-8", "replace")
    except FileNotFoundError:
        return
    for raw in text.splitlines():
        words = raw.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or raw.lstrip().startswith("#") or marker not in _MARKERS:  # noqa: PLR2004 - names, type, key
            continue
        if not (_speaks_of(words[0], name) or (marker and _speaks_of(words[0], plain))):
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            continue
        yield _Line(file, HostKey(words[1], blob), _MARKERS[marker])


def _pin_matches(pin: str, key: HostKey) -> bool:
    words = pin.split()
    if len(words) == 1:
        return hmac.compare_digest(words[0].rstrip("="), key.fingerprint)
    return words[:2] == str(key).split()


def _speaks_of(names: str, name: str) -> bool:
    """Tell whether the names of a line are those of this machine: by name, by pattern or by hashed name."""
    if names.startswith("|1|"):
        return _hashed_matches(names, name)
    patterns = names.lower().split(",")
    if any(_pattern_matches(pattern[1:], name) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(_pattern_matches(pattern, name) for pattern in patterns)


def _pattern_matches(pattern: str, name: str) -> bool:
    # Brackets stand for themselves in known_hosts (`[address]:port`), only `*` and `?` are wild.
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _hashed_matches(names: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in names.split("|")[2:4])
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
