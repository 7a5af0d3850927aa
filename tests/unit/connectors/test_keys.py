"""A private key that cannot be used: why, and what to type instead, before any host is asked."""

from __future__ import annotations

import base64
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import ANY

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from sealpy.connectors import keys
from sealpy.connectors.keys import Unusable, why_unusable
from sealpy.connectors.secret import Secret
from sealpy.connectors.target import Target
from sealpy.machines.keys import KeyPair

ADDRESS = "10.0.0.5"


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Write a key that is locked by `phrase`, with its public half beside it."""
    made = Ed25519PrivateKey.generate()
    encryption = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1).build(b"phrase")
    path = tmp_path / "id_ed25519"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption))
    public = made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    path.with_name("id_ed25519.pub").write_bytes(public + b" me\n")
    return path


def why(path: Path, phrase: str = "") -> Unusable | None:
    return why_unusable(
        Target(address=ADDRESS, private_key=path, private_key_password=Secret(phrase) if phrase else None)
    )


def test_a_key_that_opens_and_no_key_at_all_are_in_order(key: Path) -> None:
    assert why(key, "phrase") is None
    assert why_unusable(Target(address=ADDRESS)) is None


@pytest.mark.parametrize(
    ("name", "phrase", "reason", "hint"),
    [
        ("id_ed25519", "", "is locked by a passphrase", "--pk-passwd - asks for it"),
        ("id_ed25519", "other", "is damaged, or its passphrase is another", "give its passphrase again: --pk-passwd -"),
        ("id_ed2519", "", "no such file", "did you mean '{key}'?"),
        (
            "id_ed25519.pub",
            "",
            "is no private key that can be read",
            "it is the public half: name the private one, {key}",
        ),
        (".", "", "is a directory", "name the key in it: {key}"),
        ("empty", "", "is a directory", "name the file of a private key"),
        ("cut", "", "is no private key that can be read", "give a readable private key"),
        ("open", "phrase", "is not locked, yet a passphrase is given", "leave --pk-passwd, `pkPasswd:`"),
        ("none/of/these", "", "no such file", "without one the agent and the keys in ~/.ssh are tried"),
        ("site.ppk", "", "is no private key that can be read", "puttygen {key.parent}/site.ppk -O private-openssh -o"),
        ("notes.txt", "", "is no private key that can be read", "give a readable private key"),
        ("loop", "", "too many levels of symbolic links", "give a readable private key"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_with_what_to_type(
    name: str, phrase: str, reason: str, hint: str, key: Path
) -> None:
    (key.parent / "site.ppk").write_text("PuTTY-User-Key-File-3: ssh-ed25519\n")
    (key.parent / "empty").mkdir()
    (key.parent / "cut").write_bytes(key.read_bytes()[:100])
    (key.parent / "open").write_bytes(KeyPair.generate().private)
    (key.parent / "notes.txt").write_text("milk\n")
    (key.parent / "loop").symlink_to("loop")
    found = why(key.parent / name, phrase)
    assert found
    assert found.reason == reason
    assert hint.format(key=key) in found.hint


def test_a_key_of_which_only_the_public_half_is_here_is_in_order_when_the_agent_holds_it(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key.unlink()
    blob = base64.b64decode(key.with_name("id_ed25519.pub").read_text().split()[1])
    held = SimpleNamespace(get_keys=lambda: (SimpleNamespace(blob=blob, get_name=lambda: "ssh-ed25519"),))
    assert why(key) == Unusable("no such file", ANY)
    monkeypatch.setattr(keys, "_agent", lambda _target, _notes: nullcontext(held))
    assert why(key) is None
