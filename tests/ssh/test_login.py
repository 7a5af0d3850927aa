"""Every way to log in, and what is said when none works."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
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


@contextlib.contextmanager
def agent(socket: Path, *keys: Path) -> Iterator[None]:
    """Run an agent that holds these keys while the block runs."""
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # it listens by now
        try:
            for key in keys:
                adding = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
                subprocess.run(["ssh-add", "-q", str(key)], check=True, env=adding)
            yield
        finally:
            process.terminate()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_the_agent_is_asked(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    key = make_key(tmp_path / "mine", kind=kind)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with sshd(tmp_path / "a", authorize(tmp_path, key)) as server, agent(tmp_path / "agent", key):
        assert client.to(server, Target(address=server.address)).run(("true",)).ok


def test_another_agent_than_the_usual_can_be_named_and_none(client: Client, tmp_path: Path) -> None:
    key = make_key(tmp_path / "mine")
    with sshd(tmp_path / "a", authorize(tmp_path, key)) as server, agent(tmp_path / "agent", key):
        named = Target(address=server.address, agent=str(tmp_path / "agent"))
        assert client.to(server, named).run(("true",)).ok
        with pytest.raises(AuthError, match="refused"):
            client.to(server, replace(named, agent="none")).connect()


def test_an_agent_that_was_named_and_is_not_there_is_told(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server, pytest.raises(AuthError) as caught:
        client.to(server, Target(address=server.address, agent=str(tmp_path / "agent"))).connect()

    assert f"the agent at {tmp_path / 'agent'} (" in caught.value.hint


def test_a_locked_key_needs_no_passphrase_when_the_agent_holds_it(client: Client, tmp_path: Path) -> None:
    key = make_key(tmp_path / "mine", passphrase="open sesame")
    unlocked = tmp_path / "unlocked"
    unlocked.write_bytes(key.read_bytes())
    unlocked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", str(unlocked)], check=True)
    with sshd(tmp_path / "a", authorize(tmp_path, key)) as server, agent(tmp_path / "agent", unlocked):
        locked = Target(address=server.address, private_key=key, agent=str(tmp_path / "agent"))
        assert client.to(server, locked).run(("true",)).ok


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("held", [False, True], ids=["file", "agent"])
def test_a_certificate_opens_where_its_key_does_not(
    client: Client,
    tmp_path: Path,
    kind: str,
    held: bool,  # noqa: FBT001 - a case
) -> None:
    authority, key = make_key(tmp_path / "authority"), make_key(tmp_path / "mine", kind=kind)
    certify(authority, key)
    settings = {"AuthorizedKeysFile": "none", "TrustedUserCAKeys": str(authority.with_suffix(".pub"))}
    target = Target(address="127.0.0.1", private_key=None if held else key, agent=str(tmp_path / "agent"))
    with sshd(tmp_path / "a", settings) as server, agent(tmp_path / "agent", *([key] if held else [])):
        assert client.to(server, target).run(("true",)).ok


def certify(authority: Path, key: Path) -> None:
    """Let an authority sign a key for root, as `key-cert.pub`."""
    subprocess.run(
        ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", "root", str(key.with_suffix(".pub"))], check=True
    )


def test_a_certificate_that_stands_elsewhere_belongs_to_its_key(client: Client, tmp_path: Path) -> None:
    authority, key = make_key(tmp_path / "authority"), make_key(tmp_path / "mine")
    certify(authority, key)
    elsewhere = (tmp_path / "mine-cert.pub").rename(tmp_path / "elsewhere-cert.pub")
    settings = {"AuthorizedKeysFile": "none", "TrustedUserCAKeys": str(authority.with_suffix(".pub"))}
    with sshd(tmp_path / "a", settings) as server:
        target = Target(address=server.address, identity_files=(key,), certificate_files=(elsewhere,))
        assert client.to(server, target).run(("true",)).ok


def test_the_key_opens_where_its_certificate_does_not(client: Client, tmp_path: Path) -> None:
    authority, key = make_key(tmp_path / "authority"), make_key(tmp_path / "mine")
    certify(authority, key)
    with sshd(tmp_path / "a", authorize(tmp_path, key)) as server:
        assert client.to(server, Target(address=server.address, private_key=key)).run(("true",)).ok


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_a_server_that_hangs_up_on_wrong_keys_is_met_again(client: Client, tmp_path: Path, tries: int) -> None:
    keys = [make_key(tmp_path / f"key{number}") for number in range(6)]
    settings = {**authorize(tmp_path, keys[-1]), "MaxAuthTries": str(tries)}
    with sshd(tmp_path / "a", settings) as server, agent(tmp_path / "agent", *keys):
        target = Target(address=server.address, agent=str(tmp_path / "agent"))
        assert client.to(server, target).run(("true",)).ok


def test_a_server_that_hangs_up_on_wrong_keys_gets_the_password_then(
    client: Client, tmp_path: Path, sudoer: User
) -> None:
    keys = [make_key(tmp_path / f"key{number}") for number in range(5)]
    settings = {**sudoer.settings, "MaxAuthTries": "2"}
    with sshd(tmp_path / "a", settings) as server, agent(tmp_path / "agent", *keys):
        target = replace(sudoer.by_password(), agent=str(tmp_path / "agent"))
        assert client.to(server, target).run(("true",)).ok


def test_of_very_many_keys_only_some_are_tried(client: Client, tmp_path: Path) -> None:
    keys = [make_key(tmp_path / f"key{number}") for number in range(12)]
    with sshd(tmp_path / "a") as server, agent(tmp_path / "agent", *keys), pytest.raises(AuthError) as caught:
        client.to(server, Target(address=server.address, agent=str(tmp_path / "agent"))).connect()

    assert caught.value.hint.count("of the agent") == 8
    assert "give the key by --pk" in caught.value.hint


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
