"""Keys that sign images."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519

from sealpy.errors import ImageError
from sealpy.image.trust import PublicKey, SigningKey

# made by `cosign generate-key-pair` 2.6.5 for this test; its passphrase is `x`
COSIGN_KEY = """\
-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiIrWE1WckF0SGUvVEFzZlpQc3BNc1JmQkltRUViOW8z
M0c4Z1Jxc0k2R2swPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJMMUxjTEd6Wjhpc2hPcTVpSGJwYnBPNko4MGdEZjJRaSJ9LCJj
aXBoZXJ0ZXh0IjoiS0k3R20xYy9uUTZaWlJEZVNzUW9KNFMwejBqRnhOOVNmUlhB
MzcwZ1JoMUUyK3drRUV3MnR6UkNDN3BsNnlHMHIxN3JSMCtLRVIyUk9qR2RadlRF
d1kvb1JYZDZuZkVZcGRDSWw0YUZJS2FwcEcvTFR5dzRISzQrS1I1RDFMMVZST0dF
NElPRnMxeE8wcDZZcTFpa2dSanFtRC9rYUUveXIrMEIySHVkUFA0dzdGbDBUaXpj
TXVSclZIbkt0OVNydWFaRmJ1NndMRjdBTEE9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
"""
COSIGN_PUB = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWvl6xvJBFZ8zufargQ1jtcDBDY3l
DZufIFezs7fbP41vs20MteqM94tCR7ZhMO2IYo7gWzUkx2D2QKhNighStA==
-----END PUBLIC KEY-----
"""


def phrase(word: str) -> str:
    return word


def no_passphrase() -> str:
    raise AssertionError("a passphrase was asked for")


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey, password: str = "") -> bytes:
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def test_a_new_key_is_for_its_owner_alone_and_its_public_half_for_everyone(tmp_path: Path) -> None:
    key = SigningKey.create(tmp_path / "k", passphrase="secret")
    assert stat.S_IMODE((tmp_path / "k.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "k.pub").stat().st_mode) == 0o644
    assert b"ENCRYPTED" in (tmp_path / "k.key").read_bytes()
    assert PublicKey.load(tmp_path / "k.pub").fingerprint == key.public.fingerprint


def test_a_new_key_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "k.pub").write_text("precious")
    with pytest.raises(ImageError, match=r"k\.pub: is there already"):
        SigningKey.create(tmp_path / "k", passphrase="")
    assert (tmp_path / "k.pub").read_text() == "precious"
    assert not (tmp_path / "k.key").exists()


@pytest.mark.parametrize("passphrase", ["", "secret"])
@pytest.mark.parametrize(
    "make",
    [lambda: rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate],
    ids=["rsa", "ed25519"],
)
def test_what_a_key_signs_its_public_half_verifies(tmp_path: Path, make: object, passphrase: str) -> None:
    made = make()  # type: ignore[operator]
    (tmp_path / "k").write_bytes(pem(made, passphrase))
    key = SigningKey.load(tmp_path / "k", passphrase=(lambda: phrase(passphrase)) if passphrase else no_passphrase)
    signature = key.sign(b"data")
    assert key.public.verifies(signature, b"data")
    assert not key.public.verifies(signature, b"other data")
    assert not key.public.verifies(signature[:-1] + bytes([signature[-1] ^ 1]), b"data")


def test_a_key_of_cosign_is_read_with_its_passphrase(tmp_path: Path) -> None:
    (tmp_path / "cosign.key").write_text(COSIGN_KEY)
    (tmp_path / "cosign.pub").write_text(COSIGN_PUB)
    key = SigningKey.load(tmp_path / "cosign.key", passphrase=lambda: phrase("x"))
    assert PublicKey.load(tmp_path / "cosign.pub").verifies(key.sign(b"data"), b"data")


@pytest.mark.parametrize("content", [COSIGN_KEY, pem(ed25519.Ed25519PrivateKey.generate(), "right").decode()])
def test_a_wrong_passphrase_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "k").write_text(content)
    with pytest.raises(ImageError, match="k: the passphrase does not open it"):
        SigningKey.load(tmp_path / "k", passphrase=lambda: phrase("wrong"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "k: not a private key in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "k: not a private key in PEM form"),
        (COSIGN_KEY.encode()[:120], "k: a damaged private key"),
        (pem(x25519.X25519PrivateKey.generate()), "k: a key of a kind that signs no images"),
    ],
)
def test_what_is_no_private_key_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(ImageError, match=message):
        SigningKey.load(tmp_path / "k", passphrase=lambda: phrase("x"))


def test_what_is_no_public_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "k").write_text(COSIGN_KEY)
    with pytest.raises(ImageError, match="k: not a public key in PEM form"):
        PublicKey.load(tmp_path / "k")
    with pytest.raises(ImageError, match="gone: cannot be read: no such file"):
        PublicKey.load(tmp_path / "gone")
