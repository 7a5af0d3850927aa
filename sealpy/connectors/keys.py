"""The keys by which a login is tried: files, the agent, certificates."""

from __future__ import annotations

import base64
import binascii
import contextlib
import copy
import os
import socket
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob, UnknownKeyType

from sealpy.connectors.secret import Secret
from sealpy.connectors.target import Target
from sealpy.disk import reason_of
from sealpy.errors import AuthError, nearest

__all__ = ["Unusable", "keys_of", "why_unusable"]

_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_CERTIFICATE = "-cert-v"
_AGENT_TIMEOUT = 30.0  # seconds; a person may have to touch a key

Found = Generator[tuple[str, paramiko.PKey, bytes]]

_GIVE = "give a readable private key, and its passphrase by --pk-passwd -, `pkPasswdFrom:` or an agent (ssh-add)"
_LOCKED, _OPEN = "is locked by a passphrase", "is not locked, yet a passphrase is given"
_OTHER = "is damaged, or its passphrase is another"
_WAYS_OUT = {
    _LOCKED: "give its passphrase: --pk-passwd - asks for it; or write `pkPasswdFrom:`, or add it to an agent: ssh-add",
    _OPEN: "leave --pk-passwd, `pkPasswd:` and `pkPasswdFrom:` out",
    _OTHER: "give its passphrase again: --pk-passwd - asks for it; ssh-keygen -y -f FILE tries it out",
}


class _KeyUnusableError(Exception):
    """Tell why a key file cannot be used."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Say why a private key cannot be used, and what to do."""

    reason: str
    hint: str


def why_unusable(target: Target) -> Unusable | None:
    """Tell why nobody can log in by the private key that a target names; None when one can, or none is named.

    No host is asked, but the agent when the public half of the key stands beside it.
    """
    path = target.private_key
    if path is None:
        return None
    try:
        with _agent(target, []) if _public_blob(path) else contextlib.nullcontext(_NoAgent()) as agent:
            for _ in _of_path(target, path, agent.get_keys()):
                return None
    except FileNotFoundError:
        return Unusable("no such file", _other_file(path))
    except _KeyUnusableError as error:
        return Unusable(str(error), _WAYS_OUT.get(str(error)) or _way_out(path))
    return None


def _other_file(path: Path) -> str:
    """Say which file is most likely meant instead of one that is not there."""
    try:
        beside = [one.name for one in path.parent.iterdir() if one.is_file() and not one.name.endswith(".pub")]
    except OSError:
        beside = []  # there is no such directory, or it cannot be read
    if near := nearest(path.name, beside):
        return f"did you mean '{path.with_name(near)}'?"
    return "name a private key, such as ~/.ssh/id_ed25519; without one the agent and the keys in ~/.ssh are tried"


def _way_out(path: Path) -> str:
    head = b""
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(4096)
    if path.is_dir():
        pairs = [one.with_suffix("") for one in sorted(path.glob("*.pub")) if one.with_suffix("").is_file()]
        return (
            f"name the key in it: {pairs[0]}" if pairs else "name the file of a private key, such as ~/.ssh/id_ed25519"
        )
    if head.startswith(b"PuTTY-User-Key-File"):
        return f"it is a key of PuTTY: puttygen {path} -O private-openssh -o {path.with_suffix('.key')}"
    if path.suffix == ".pub" and head.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return f"it is the public half: name the private one, {path.with_suffix('')}"
    return _GIVE


def keys_of(target: Target, ssh_dir: Path, notes: list[str]) -> Found:
    """Yield the keys for a target, each with a label and with what the server will see of it, the likeliest first.

    `ssh_dir` holds the usual keys; `notes` receives why others were left out. Raises AuthError for a private key that
    was asked for and cannot be used.
    """
    with _agent(target, notes) as agent:
        held = tuple(_whole(key) for key in agent.get_keys())
        if target.private_key:
            yield from _asked_for(target, target.private_key, held)
        usual = [ssh_dir / name for name in _DEFAULT_KEYS]
        if target.identity_files is not None or target.identities_only:
            named = usual if target.identity_files is None else target.identity_files
            for path in named:
                yield from _of_file(target, path, held, notes)
        if target.identities_only:
            return
        for number, key in enumerate(held, start=1):
            yield f"key {number} of the agent", key, key.blob
        if target.identity_files is None:
            for path in usual:
                yield from _of_file(target, path, (), notes)


def _asked_for(target: Target, path: Path, held: Sequence[AgentKey]) -> Found:
    try:
        yield from _of_path(target, path, held)
    except (FileNotFoundError, _KeyUnusableError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise target.error(AuthError, f"private key {str(path)!r}: {reason}", hint=_GIVE) from error


def _of_file(target: Target, path: Path, held: Sequence[AgentKey], notes: list[str]) -> Found:
    """Yield a key that may be there or not."""
    try:
        yield from _of_path(target, path, held)
    except FileNotFoundError:
        return
    except _KeyUnusableError as error:
        notes.append(f"key {path} ({error})")


def _of_path(target: Target, path: Path, held: Sequence[AgentKey]) -> Found:
    """Yield the key of a file with its certificates before it; the agent signs when it holds that very key."""
    blob = _public_blob(path)
    same = [key for key in held if key.blob == blob]
    if same:
        yield from _certified(same[0], f"key {path} of the agent", (*_beside(path), *target.certificate_files))
        yield f"key {path} of the agent", same[0], same[0].blob
        return
    key = _load(path, target.private_key_password)
    yield from _certified(key, f"key {path}", (*_beside(path), *target.certificate_files))
    yield f"key {path}", key, key.asbytes()


def _beside(path: Path) -> tuple[Path, ...]:
    certificate = Path(f"{path}-cert.pub")
    return (certificate,) if certificate.is_file() else ()


def _certified(key: paramiko.PKey, label: str, certificates: Sequence[Path]) -> Found:
    """Yield the key with each certificate that was made for a key of its type; the server judges the rest."""
    for path in dict.fromkeys(certificates):
        try:
            blob = PublicBlob.from_file(str(path))
        except (OSError, ValueError, binascii.Error, IndexError):
            continue  # no certificate; the plain key follows
        if not blob.key_type.startswith(key.get_name() + _CERTIFICATE):
            continue
        certified = copy.copy(key)
        certified.public_blob = blob
        yield f"{label} with {path.name}", certified, blob.key_blob


def _public_blob(path: Path) -> bytes:
    """Give the public half that stands beside a private key; empty when none does."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return base64.b64decode(Path(f"{path}.pub").read_text("ascii").split()[1], validate=True)
    return b""


def _load(path: Path, passphrase: Secret | None) -> paramiko.PKey:
    """Read a private key of any type; raises FileNotFoundError, _KeyUnusableError."""
    try:
        # Stubs say `str`, but the cryptography library beneath takes bytes alone. Absolute, since `~` was made a
        # directory before, and paramiko breaks on a name that nobody has.
        key = paramiko.PKey.from_path(path.absolute(), passphrase.reveal().encode() if passphrase else None)  # type: ignore[arg-type]
    except FileNotFoundError:
        raise
    except (paramiko.PasswordRequiredException, TypeError) as error:
        raise _KeyUnusableError(_OPEN if passphrase else _LOCKED) from error
    except (paramiko.SSHException, ValueError) as error:
        reason = _OTHER if passphrase else "is no private key that can be read"
        beside = f", or {path.name}-cert.pub beside it is damaged" if _beside(path) else ""
        raise _KeyUnusableError(reason + beside) from error
    except (UnknownKeyType, UnsupportedAlgorithm) as error:
        raise _KeyUnusableError("is of a type that is not supported") from error
    except OSError as error:
        raise _KeyUnusableError(reason_of(error)) from error
    key.public_blob = None  # a certificate beside it comes on its own, so that the plain key is tried too
    return key


# ---- the agent


@dataclass(slots=True)
class _NoAgent:
    """Be there when no agent is."""

    def get_keys(self) -> tuple[AgentKey, ...]:
        """Give none."""
        return ()


def _whole(key: AgentKey) -> AgentKey:
    """Let a certificate in the agent be shown as what it is; its key signs."""
    if _CERTIFICATE in key.get_name():
        key.public_blob = PublicBlob(type_=key.get_name(), blob=key.blob)  # type: ignore[assignment] # stubs: None alone
    return key


class _Agent(AgentSSH):
    """Talk to the agent at a socket; paramiko's own class knows that of the environment only."""

    def __init__(self, path: str) -> None:
        super().__init__()
        conn = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        conn.settimeout(_AGENT_TIMEOUT)
        try:
            conn.connect(path)
            self._connect(conn)  # type: ignore[attr-defined] # what the stubs leave out is what a subclass is to call
        except BaseException:
            conn.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._close()  # type: ignore[attr-defined] # likewise


@contextlib.contextmanager
def _agent(target: Target, notes: list[str]) -> Generator[_Agent | _NoAgent]:
    path = target.agent or os.environ.get("SSH_AUTH_SOCK", "")
    if not path or path == "none":
        yield _NoAgent()
        return
    try:
        agent = _Agent(path)
    except (paramiko.SSHException, OSError, EOFError) as error:
        if target.agent or not isinstance(error, FileNotFoundError | ConnectionRefusedError):
            notes.append(f"the agent at {path} ({error})")
        yield _NoAgent()
        return
    with contextlib.closing(agent):
        yield agent
