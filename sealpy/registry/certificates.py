"""The certificate authority of one cluster's registry."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Authority"]

_LIFETIME = dt.timedelta(days=3650)
_CLOCKS_DIFFER = dt.timedelta(days=1)  # a host whose clock is behind must not refuse a new certificate


@dataclass(frozen=True, slots=True)
class Authority:
    """Hold a certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Give the sha256 of the certificate's file, in hexadecimal."""
        return hashlib.sha256(self.certificate).hexdigest()

    @classmethod
    def create(cls, name: str) -> Authority:
        """Make a new authority; `name` is that of the cluster."""
        from cryptography import x509  # noqa: PLC0415 - heavy
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - heavy

        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"sealpy registry of {name}")
        builder = (
            _builder(subject, subject, key.public_key(), issuer_key=key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
        )
        return cls(*_signed(builder, key, key))

    def issue(self, *, dns: Iterable[str], ips: Iterable[str]) -> Authority:
        """Make a server certificate for these names and addresses."""
        from cryptography import x509  # noqa: PLC0415 - heavy
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - heavy
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - heavy
        from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 - heavy

        names = list(dns)
        own = x509.load_pem_x509_certificate(self.certificate)
        signer = serialization.load_pem_private_key(self.key, password=None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is no elliptic-curve key")
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [
            *(x509.DNSName(name) for name in names),
            *(x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips),
        ]
        builder = (
            _builder(_name(names[0]), own.subject, key.public_key(), issuer_key=signer.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        return Authority(*_signed(builder, signer, key))


def _name(common: str) -> x509.Name:
    from cryptography import x509  # noqa: PLC0415 - heavy

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    *,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    from cryptography import x509  # noqa: PLC0415 - heavy

    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509  # noqa: PLC0415 - heavy

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(
    builder: x509.CertificateBuilder, signer: ec.EllipticCurvePrivateKey, own: ec.EllipticCurvePrivateKey
) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - heavy

    certificate = builder.sign(signer, hashes.SHA256())
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
