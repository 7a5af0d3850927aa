"""Keys that sign images: ECDSA, Ed25519 or RSA, in PEM files; those of cosign too."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from sealpy.disk import reason_of, write_whole
from sealpy.errors import KeyFileError, SealpyError

__all__ = ["Passphrase", "PublicKey", "SigningKey"]

Passphrase = Callable[[], str]
"""Gives the passphrase of a key; asked only for a key that has one."""

_PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
_PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_COSIGN = (b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----", b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----")
_MOST_WORK = 1 << 20  # scrypt's N: more would be an attack on this machine, not a key
_MOST_MEMORY = 1 << 30
_LONGEST = 1 << 20  # bytes of a key file


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Verify what its owner signed; `name` says where it was read, `fingerprint` which key it is."""

    name: str
    fingerprint: str
    _key: _PublicKey = field(repr=False, compare=False)

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read a PEM file; raises KeyFileError that names it."""
        try:
            key = serialization.load_pem_public_key(_read(path))
        except (ValueError, UnsupportedAlgorithm) as error:
            hint = "a public key is wanted, such as the .pub file that 'sealpy keygen' writes"
            raise KeyFileError(f"{path}: not a public key in PEM form", hint=hint) from error
        return cls._of(str(path), key)

    @classmethod
    def _of(cls, name: str, key: object) -> PublicKey:
        if not isinstance(key, _PublicKey):
            raise KeyFileError(f"{name}: a key of a kind that signs no images", hint="use ECDSA P-256")
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return cls(name, hashlib.sha256(der).hexdigest(), key)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Tell whether the owner of this key signed these bytes."""
        try:
            match self._key:
                case ec.EllipticCurvePublicKey():
                    self._key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
                case ed25519.Ed25519PublicKey():
                    self._key.verify(signature, data)
                case rsa.RSAPublicKey():
                    self._key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Sign bytes; `public` verifies them."""

    public: PublicKey
    _key: _PrivateKey = field(repr=False, compare=False)

    @classmethod
    def create(cls, prefix: Path, *, passphrase: str) -> SigningKey:
        """Make a new key: `<prefix>.key` for its owner alone, `<prefix>.pub` for everyone; raises KeyFileError.

        A passphrase that is not empty locks the private key. Files that are there are not replaced.
        """
        private, public = (prefix.with_name(prefix.name + suffix) for suffix in (".key", ".pub"))
        for path in (private, public):
            if path.exists():
                raise KeyFileError(f"{path}: is there already", hint="take another name: a key that is lost is lost")
        key = ec.generate_private_key(ec.SECP256R1())
        lock = (
            serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        )
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        try:
            write_whole(private, key.private_bytes(pem, form, lock))
            info = serialization.PublicFormat.SubjectPublicKeyInfo
            write_whole(public, key.public_key().public_bytes(pem, info), mode=0o644)
        except OSError as error:
            if not private.parent.is_dir():
                raise KeyFileError(f"{private}: no such directory", hint=f"mkdir -p {private.parent}") from error
            reason = reason_of(error)
            raise SealpyError(f"{private}: cannot be written: {reason}", hint="choose another place") from error
        return cls(PublicKey._of(str(public), key.public_key()), key)  # noqa: SLF001 - its twin

    @classmethod
    def load(cls, path: Path, *, passphrase: Passphrase) -> SigningKey:
        """Read a PEM file of OpenSSL's or cosign's making; raises KeyFileError that names it."""
        key = _load(path, _read(path), passphrase)
        if not isinstance(key, _PrivateKey):
            raise KeyFileError(f"{path}: a key of a kind that signs no images", hint="use ECDSA P-256")
        return cls(PublicKey._of(str(path), key.public_key()), key)  # noqa: SLF001 - its twin

    def sign(self, data: bytes) -> bytes:
        """Sign some bytes."""
        match self._key:
            case ec.EllipticCurvePrivateKey():
                return self._key.sign(data, ec.ECDSA(hashes.SHA256()))
            case ed25519.Ed25519PrivateKey():
                return self._key.sign(data)
            case rsa.RSAPrivateKey():
                return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _load(path: Path, data: bytes, passphrase: Passphrase) -> object:
    """Read a private key, asking for its passphrase when it has one."""
    if data.lstrip().startswith(_COSIGN):
        return serialization.load_der_private_key(_unlock(path, data, passphrase()), password=None)
    try:
        return serialization.load_pem_private_key(data, password=None)
    except TypeError:
        pass  # how the library says that it is locked
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = "a private key is wanted: 'sealpy keygen' makes one"
        raise KeyFileError(f"{path}: not a private key in PEM form", hint=hint) from error
    try:
        return serialization.load_pem_private_key(data, password=passphrase().encode())
    except ValueError as error:
        raise _wrong_passphrase(path) from error


def _unlock(path: Path, data: bytes, passphrase: str) -> bytes:
    """Open a key of cosign's making: JSON in PEM, a secret box whose key scrypt makes from the passphrase."""
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - for these keys alone
    from nacl.secret import SecretBox  # noqa: PLC0415

    try:
        box = json.loads(base64.b64decode(_body(data)))
        kdf, cost = box["kdf"], box["kdf"]["params"]
        if kdf["name"] != "scrypt" or box["cipher"]["name"] != "nacl/secretbox" or cost["N"] > _MOST_WORK:
            raise KeyFileError(f"{path}: locked in a way that is not known", hint="import it into cosign 2 anew")
        salt, nonce = base64.b64decode(kdf["salt"]), base64.b64decode(box["cipher"]["nonce"])
        key = hashlib.scrypt(
            passphrase.encode(), salt=salt, n=cost["N"], r=cost["r"], p=cost["p"], maxmem=_MOST_MEMORY, dklen=32
        )
        return SecretBox(key).decrypt(base64.b64decode(box["ciphertext"]), nonce)
    except CryptoError as error:
        raise _wrong_passphrase(path) from error
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise KeyFileError(f"{path}: a damaged private key", hint="get it from its backup") from error


def _body(data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines() if not line.startswith(b"-----"))


def _wrong_passphrase(path: Path) -> KeyFileError:
    return KeyFileError(
        f"{path}: the passphrase does not open it", hint="type it again, or check SEALPY_KEY_PASSPHRASE"
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except OSError as error:
        reason = reason_of(error)
        raise KeyFileError(f"{path}: cannot be read: {reason}", hint="name a key in PEM form") from error
