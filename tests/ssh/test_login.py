"""Every way to log in, and what is said when none works."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.connectors.secret import Secret
from sealpy.connectors.target import Target
from sealpy.errors import AuthError
from sealpy.testing.sshd import make_key, sshd
from tests.ssh.conftest import Client, User

pytestmark = pytest.mark.ssh


def authorize(directory: Path, *keys: Path) -> dict[str, str]:
    file = directory / "authorized_keys"
    file.write_text("".join(key.with_suffix(".pub").read_text() for key in keys))
    return {"AuthorizedKeysFile": str(file)}


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("passphrase", ["", "open sesame"], ids=["plain", "locked"])
def test_a_key_of_any_type_opens(client: Client, tmp_path: Path, kind: str, passphrase: str) -> None:
    key = make_key(tmp_path / "mine", kind=kind, passphrase=passphrase)
    with sshd(tmp_path / "a", authorize(tmp_path, key)) as server:
        secret = Secret(passphrase) if passphrase else None
        target = Target(address=server.address, private_key=key, private_key_password=secret)

        assert client.to(server, target).run(("true",)).ok


@pytest.mark.parametrize(
    ("passphrase", "reason"),
    [(None, "is locked by a passphrase"), (Secret("wrong"), "its passphrase is another")],
    ids=["no passphrase", "another passphrase"],
)
def test_a_locked_key_is_named(client: Client, tmp_path: Path, passphrase: Secret | None, reason: str) -> None:
    key = make_key(tmp_path / "mine", passphrase="open sesame")
    with sshd(tmp_path / "a", authorize(tmp_path, key)) as server, pytest.raises(AuthError, match=reason) as caught:
        client.to(server, Target(address=server.address, private_key=key, private_key_password=passphrase)).connect()

    assert str(key) in caught.value.message
    assert "wrong" not in caught.value.message


def test_a_missing_key_is_named(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server, pytest.raises(AuthError, match="'/nowhere/key': no such file"):
        client.to(server, Target(address=server.address, private_key=Path("/nowhere/key"))).connect()


def test_the_default_keys_of_the_user_are_tried(client: Client, tmp_path: Path) -> None:
    client.ssh_dir.mkdir()
    key = make_key(client.ssh_dir / "id_ed25519")
    with sshd(tmp_path / "a", authorize(tmp_path, key)) as server:
        assert client.to(server, Target(address=server.address)).run(("true",)).ok


def test_the_agent_is_asked(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(tmp_path / "mine")
    agent = tmp_path / "agent"
    with (
        sshd(tmp_path / "a", authorize(tmp_path, key)) as server,
        subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout
        process.stdout.readline()  # it listens by now
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
        subprocess.run(["ssh-add", "-q", str(key)], check=True, env=os.environ)
        try:
            assert client.to(server, Target(address=server.address)).run(("true",)).ok
        finally:
            process.terminate()


def test_a_password_opens(client: Client, tmp_path: Path, sudoer: User) -> None:
    with sshd(tmp_path / "a", sudoer.settings) as server:
        assert client.to(server, sudoer.by_password()).run(("id", "-un")).text == "root"


def test_a_password_opens_at_a_prompt_too(client: Client, tmp_path: Path, sudoer: User) -> None:
    prompt = {"PasswordAuthentication": "no", "UsePAM": "yes", "KbdInteractiveAuthentication": "yes"}
    with sshd(tmp_path / "a", {**sudoer.settings, **prompt}) as server:
        assert client.to(server, sudoer.by_password()).run(("id", "-un")).text == "root"


def test_keys_that_are_refused_leave_room_for_the_password(client: Client, tmp_path: Path, sudoer: User) -> None:
    client.ssh_dir.mkdir()
    for kind in ("ed25519", "ecdsa", "rsa"):
        make_key(client.ssh_dir / f"id_{kind}", kind=kind)
    with sshd(tmp_path / "a", sudoer.settings) as server:
        target = replace(sudoer.by_password(), private_key=make_key(tmp_path / "mine"))
        assert client.to(server, target).run(("true",)).ok


def test_a_server_may_want_key_and_password(client: Client, tmp_path: Path, sudoer: User) -> None:
    with sshd(tmp_path / "a", {**sudoer.settings, "AuthenticationMethods": "publickey,password"}) as server:
        target = replace(sudoer.by_password(), private_key=sudoer.key)
        assert client.to(server, target).run(("true",)).ok


def test_a_refusal_says_what_was_tried_and_never_the_password(client: Client, tmp_path: Path, user: User) -> None:
    target = replace(user.by_password(), password=Secret("not-it"), private_key=make_key(tmp_path / "mine"))
    with sshd(tmp_path / "a", user.settings) as server, pytest.raises(AuthError) as caught:
        client.to(server, target).connect()

    assert caught.value.message == f"127.0.0.1:{server.port}: login as 'sealpy-test' refused"
    assert f"tried key {tmp_path / 'mine'}, the password; the host takes publickey, password" in caught.value.hint
    assert "not-it" not in caught.value.hint


def test_nothing_to_try_is_said(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server, pytest.raises(AuthError) as caught:
        client.to(server, Target(address=server.address)).connect()

    assert "there was no key, agent or password to try" in caught.value.hint
