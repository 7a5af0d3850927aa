"""Users other than root become root by sudo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.connectors.secret import Secret
from sealpy.errors import AuthError, CommandTimeoutError
from sealpy.testing.sshd import sshd
from tests.ssh.conftest import PASSWORD, Client, User

pytestmark = pytest.mark.ssh


def test_its_password_is_given_when_asked_for_and_seen_nowhere(client: Client, tmp_path: Path, sudoer: User) -> None:
    with sshd(tmp_path / "a", sudoer.settings) as server:
        connector = client.to(server, replace(sudoer.by_key(), sudo_password=Secret(PASSWORD)))

        assert connector.run(("sh", "-c", "id -un; echo $HOME")).lines == ("root", "/root")
        assert connector.run(("cat",), stdin=bytes(range(256))).stdout == bytes(range(256))
        everything = connector.run(("sh", "-c", "cat /proc/*/cmdline /proc/*/environ 2>/dev/null"))
        assert PASSWORD.encode() not in everything.stdout


def test_a_stream_runs_as_root_too_and_byte_for_byte(client: Client, tmp_path: Path, sudoer: User) -> None:
    data = bytes(range(256)) * 1000
    with sshd(tmp_path / "a", sudoer.settings) as server:
        target = replace(sudoer.by_key(), sudo_password=Secret(PASSWORD))
        result = client.to(server, target).stream(("sh", "-c", "id -un; cat"), [data])

    assert result.stdout == b"root\n" + data


def test_the_login_password_is_the_sudo_password_unless_another_is_given(
    client: Client, tmp_path: Path, sudoer: User
) -> None:
    with sshd(tmp_path / "a", sudoer.settings) as server:
        assert client.to(server, sudoer.by_password()).run(("id", "-un")).text == "root"


@pytest.mark.parametrize("password", [None, Secret("not asked for")], ids=["no password", "a needless password"])
def test_it_may_ask_for_nothing(client: Client, tmp_path: Path, free_sudoer: User, password: Secret | None) -> None:
    with sshd(tmp_path / "a", free_sudoer.settings) as server:
        target = replace(free_sudoer.by_key(), sudo_password=password)
        assert client.to(server, target).run(("id", "-un")).text == "root"


@pytest.mark.parametrize(
    ("password", "message", "hint"),
    [
        (None, "sudo refused: a password is required", "NOPASSWD"),
        (Secret("wrong"), "sudo refused: the password is wrong", "give the right sudo password"),
    ],
    ids=["no password", "a wrong password"],
)
@pytest.mark.usefixtures("sudoer")
def test_its_refusal_is_told(
    client: Client, tmp_path: Path, user: User, password: Secret | None, *, message: str, hint: str
) -> None:
    target = replace(user.by_key(), sudo_password=password)
    with sshd(tmp_path / "a", user.settings) as server, pytest.raises(AuthError, match=message) as caught:
        client.to(server, target).connect()

    assert hint in caught.value.hint


@pytest.mark.usefixtures("sudo")
def test_a_user_who_may_not_is_told(client: Client, tmp_path: Path, user: User) -> None:
    target = replace(user.by_key(), sudo_password=Secret(PASSWORD))
    with (
        sshd(tmp_path / "a", user.settings) as server,
        pytest.raises(AuthError, match="not in the sudoers file") as caught,
    ):
        client.to(server, target).connect()

    assert "/etc/sudoers" in caught.value.hint


def test_a_command_past_its_time_is_ended_as_root(client: Client, tmp_path: Path, free_sudoer: User) -> None:
    with sshd(tmp_path / "a", free_sudoer.settings) as server:
        connector = client.to(server, free_sudoer.by_key())
        with pytest.raises(CommandTimeoutError):
            connector.run(("sleep", "98765"), timeout=0.2)

        assert "98765" not in connector.run(("ps", "-eo", "args")).text
