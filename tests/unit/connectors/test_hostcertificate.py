"""What an authority says of a machine's key, and when it is not believed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
)

from sealpy.connectors.hostcertificate import HostCertificate
from sealpy.connectors.hostkeys import HostKey, HostKeys
from sealpy.connectors.target import Target
from sealpy.errors import HostKeyError
from sealpy.events import Event

NOW = 1_000_000_000
Change = Callable[[SSHCertificateBuilder], SSHCertificateBuilder]
AUTHORITY, ANOTHER, MACHINE = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
TARGET = Target(address="10.0.0.5", host_name="db.site")


def public(key: Ed25519PrivateKey) -> HostKey:
    kind, text = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()
    return HostKey(kind.decode(), base64.b64decode(text))


def certificate(
    change: Change = lambda it: it,
    *,
    by: Ed25519PrivateKey = AUTHORITY,
    names: tuple[bytes, ...] = (b"db.site",),
    valid: tuple[int, int] = (NOW - 60, NOW + 60),
) -> bytes:
    """Give what an authority signs for the machine's key."""
    builder = SSHCertificateBuilder().public_key(MACHINE.public_key()).type(SSHCertificateType.HOST)
    builder = builder.valid_principals(list(names)) if names else builder.valid_for_all_principals()  # type: ignore[no-untyped-call]
    signed = change(builder.valid_after(valid[0]).valid_before(valid[1])).sign(by)
    return base64.b64decode(signed.public_bytes().split()[1])


def with_another_end(blob: bytes) -> bytes:
    """Change one bit of the last byte, which is that of the signature, and may be any."""
    return blob[:-1] + bytes([blob[-1] ^ 1])


def flaw(blob: bytes, name: str = "db.site", *, now: float = NOW) -> str:
    return HostCertificate(blob).flaw(public(MACHINE).blob, name, now=now)


@pytest.mark.parametrize("names", [(b"db.site",), (b"a.site", b"DB.site"), (b"*.site",), (b"d?.site",), ()])
def test_a_certificate_of_the_name_speaks_for_the_key(names: tuple[bytes, ...]) -> None:
    assert flaw(certificate(names=names)) == ""
    assert HostCertificate(certificate()).authority == public(AUTHORITY).blob


@pytest.mark.parametrize(
    ("blob", "told"),
    [
        (certificate(names=(b"other.site", b"[10.0.0.5]")), "it is for 'other.site', '[10.0.0.5]'"),
        (certificate(lambda it: it.add_critical_option(b"force-command", b"x")), "it demands 'force-command'"),
        (with_another_end(certificate()), "its signature is wrong"),
        (certificate().replace(b"db.site", b"da.site"), "its signature is wrong"),
    ],
)
def test_one_that_says_something_else_does_not(blob: bytes, told: str) -> None:
    assert flaw(blob).startswith(told)


@pytest.mark.parametrize("now", [NOW - 61, NOW + 60])
def test_one_of_another_time_does_not(now: float) -> None:
    assert flaw(certificate(), now=now) == "it is valid from 2001-09-09 01:45 UTC to 2001-09-09 01:47 UTC"


def test_one_of_a_user_or_of_another_key_does_not() -> None:
    builder = SSHCertificateBuilder().public_key(MACHINE.public_key()).valid_for_all_principals()  # type: ignore[no-untyped-call]
    user = builder.type(SSHCertificateType.USER).valid_after(0).valid_before(2**64 - 1).sign(AUTHORITY)
    assert flaw(base64.b64decode(user.public_bytes().split()[1])) == "it is one of a user"
    assert HostCertificate(certificate()).flaw(public(ANOTHER).blob, "db.site", now=NOW) == "it is of another key"


@pytest.mark.parametrize("blob", [b"", b"\0\0\0\x04none", certificate()[:-9], public(MACHINE).blob, b"\xff" * 40])
def test_what_is_no_certificate_is_refused_as_such(blob: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is that of a library
        HostCertificate(blob)


# ---- among the lines of known_hosts


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., list[Event]]:
    """Give what checks a key by the lines of a file, and gives the events."""

    def check(lines: str, blob: bytes = b"", target: Target = TARGET) -> list[Event]:
        events: list[Event] = []
        (tmp_path / "theirs").write_text(lines)
        keys = HostKeys(
            target, known_hosts=tmp_path / "ours", user_known_hosts=[tmp_path / "theirs"], emit=events.append
        )
        assert keys.has_authority is ("@cert-authority *.site" in lines and not target.host_keys)
        keys.check(replace(public(MACHINE), certificate=blob))
        return events

    return check


EVER = (0, 2**64 - 1)
GOOD = certificate(valid=EVER)
LINE = f"@cert-authority *.site {public(AUTHORITY)}\n"


def test_whom_an_authority_certifies_is_known_and_nothing_is_written(check: Callable[..., list[Event]]) -> None:
    assert check(LINE, GOOD, replace(TARGET, host_key_policy="strict")) == []
    assert check(LINE, GOOD, replace(TARGET, port=2222, host_key_policy="strict")) == []


@pytest.mark.parametrize(
    ("lines", "blob"),
    [
        (LINE, b""),
        (LINE, certificate(valid=EVER, by=ANOTHER)),
        (f"@cert-authority other.site {public(AUTHORITY)}\n", GOOD),
        ("", GOOD),
    ],
)
def test_without_one_that_is_trusted_here_the_key_is_one_like_any_other(
    check: Callable[..., list[Event]], lines: str, blob: bytes
) -> None:
    with pytest.raises(HostKeyError, match="is unknown and the policy is 'strict'"):
        check(lines, blob, replace(TARGET, host_key_policy="strict"))
    assert len(check(lines, blob)) == 1, "accepted at first sight, and shown"


def test_a_certificate_that_does_not_hold_stops_the_login_though_the_key_is_known(
    check: Callable[..., list[Event]],
) -> None:
    with pytest.raises(HostKeyError, match="does not hold: it is valid from 2001") as caught:
        check(f"{LINE}db.site {public(MACHINE)}\n", certificate())
    assert "ssh-keygen -s AUTHORITY -I db.site -h -n db.site" in caught.value.hint


@pytest.mark.parametrize(
    ("revoked", "told"),
    [(AUTHORITY, "the authority that certifies host key SHA256:.* is revoked"), (MACHINE, "host key .* is revoked")],
)
def test_what_is_revoked_is_refused_whoever_speaks_for_it(
    check: Callable[..., list[Event]], revoked: Ed25519PrivateKey, told: str
) -> None:
    with pytest.raises(HostKeyError, match=told):
        check(f"{LINE}@revoked * {public(revoked)}\n", GOOD)
    with pytest.raises(HostKeyError, match=told):
        check(f"@revoked * {public(revoked)}\n", GOOD, replace(TARGET, host_keys=(str(public(MACHINE)),)))


def test_a_certificate_that_cannot_be_read_is_refused(check: Callable[..., list[Event]]) -> None:
    with pytest.raises(HostKeyError, match="does not hold"):
        check(LINE, b"\0\0\0\x03abc")
