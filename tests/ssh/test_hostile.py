"""Settings that administrators choose against other things, and that a run must live with, or name."""

from __future__ import annotations

import hashlib
import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from paramiko.packet import Packetizer

from sealpy.connectors.secret import Secret
from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.target import Target
from sealpy.errors import AuthError, ConnectError
from sealpy.sdk import Result
from sealpy.testing.sshd import sshd
from tests.faults import Fault
from tests.ssh.conftest import Client, User
from tests.ssh.processes import kill

pytestmark = pytest.mark.ssh

PIECE = bytes(range(256)) * 256


@pytest.mark.parametrize("limit", ["256K", "1M", "default 1s"])
def test_keys_that_change_in_the_middle_of_a_stream_spoil_nothing(client: Client, tmp_path: Path, limit: str) -> None:
    def slowly() -> Iterator[bytes]:
        for number in range(480):
            time.sleep(0.005 if number % 8 == 0 else 0)
            yield PIECE

    whole = hashlib.sha256(PIECE * 480).hexdigest()
    with sshd(tmp_path / "a", {"RekeyLimit": limit, "LogLevel": "DEBUG1"}) as server:
        connector = client.to(server)
        assert connector.stream(("sha256sum",), slowly()).text.split()[0] == whole
        assert len(connector.run(("head", "-c", "4000000", "/dev/zero")).stdout) == 4_000_000
        assert server.log.read_text().count("rekey") > 2


@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr"])
def test_keys_that_we_change_in_the_middle_of_a_stream_spoil_nothing(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cipher: str
) -> None:
    monkeypatch.setattr(Packetizer, "REKEY_BYTES", 3_000_000)
    whole = hashlib.sha256(PIECE * 480).hexdigest()
    with sshd(tmp_path / "a", {"Ciphers": cipher, "LogLevel": "DEBUG1"}) as server:
        assert client.to(server).stream(("sha256sum",), itertools.repeat(PIECE, 480)).text.split()[0] == whole
        assert server.log.read_text().count("rekey") > 2


def test_no_file_transfer_of_the_server_is_needed(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a", {"Subsystem": "sftp /bin/false"}) as server:
        assert client.to(server).stream(("cat",), [b"data"]).text == "data"


def test_a_banner_before_the_login_is_nobodys_output(client: Client, tmp_path: Path) -> None:
    banner = tmp_path / "banner"
    banner.write_text("Authorized use only.\n" * 200)
    with sshd(tmp_path / "a", {"Banner": str(banner)}) as server:
        assert client.to(server).run(("echo", "hello")).stdout == b"hello\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/bin/false", "nothing"),
        ("/bin/echo 'this account is for backups'", "this account is for backups"),
        ("/bin/sh -c 'echo no shell here >&2; exit 1'", "no shell here"),
    ],
)
def test_a_forced_command_is_told_in_its_own_words(client: Client, tmp_path: Path, command: str, said: str) -> None:
    with sshd(tmp_path / "a", {"ForceCommand": command}) as server:
        with pytest.raises(ConnectError) as caught:
            client.to(server).connect()
        assert caught.value.message == f"127.0.0.1: the login gives no shell: {said}"


def test_a_forced_command_that_wraps_ours_is_no_obstacle(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a", {"ForceCommand": 'echo logged; eval "$SSH_ORIGINAL_COMMAND"'}) as server:
        connector = client.to(server)
        assert connector.run(("echo", "hello")).stdout == b"hello\n"
        assert connector.stream(("cat",), [PIECE]).stdout == PIECE


def test_a_login_script_that_never_ends_is_not_waited_for_for_ever(
    client: Client, tmp_path: Path, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealpy.connectors.runner._START", 1.0)
    with (
        sshd(tmp_path / "a", {**user.settings, "ForceCommand": "echo please wait; sleep 20"}) as server,
        pytest.raises(AuthError, match="sudo refused: no answer in time; last seen: please wait"),
    ):
        client.to(server, user.by_key()).connect()


def test_slow_passwords_are_waited_for(client: Client, tmp_path: Path, sudoer: User) -> None:
    with sshd(tmp_path / "a", {**sudoer.settings, "UsePAM": "yes"}) as server:
        wrong = replace(sudoer.by_password(), password=Secret("wrong"))
        begun = time.monotonic()
        with pytest.raises(AuthError):
            client.to(server, wrong).connect()
        assert time.monotonic() - begun > 0.5, "PAM lets who is wrong wait"
        assert client.to(server, sudoer.by_password()).run(("id", "-un")).text == "root"


def test_many_logins_at_once_outlast_a_server_that_drops_some(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a", {"MaxStartups": "2:100:2"}) as server, ThreadPoolExecutor(12) as pool:
        connectors = [client.to(server) for _ in range(12)]
        said = list(pool.map(lambda connector: connector.run(("echo", "hello")).text, connectors))

        assert said == ["hello"] * 12
        assert "MaxStartups" in server.log.read_text(), "some were dropped"


def test_a_server_that_drops_everybody_is_told(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealpy.connectors.handshake._FIRST_PAUSE", 0.01)
    with sshd(tmp_path / "a", {"PerSourceMaxStartups": "0"}) as server:
        with pytest.raises(ConnectError, match="it hangs up before the login, 6 times now") as caught:
            client.to(server).connect()
        assert caught.value.retryable
        assert "MaxStartups" in caught.value.hint


def endless() -> Iterator[bytes]:
    while True:
        yield PIECE


@pytest.mark.parametrize(
    "work",
    [
        lambda connector: connector.run(("sleep", "30"), timeout=40),
        lambda connector: connector.stream(("sh", "-c", "cat >/dev/null"), endless(), timeout=40),
        lambda connector: connector.stream(("sleep", "30"), endless(), timeout=40),
    ],
    ids=["command", "stream that is taken", "stream that is not"],
)
def test_a_server_that_stops_is_found_in_the_middle_of_work(
    client: Client, tmp_path: Path, work: Callable[[SshConnector], Result], fault: Fault
) -> None:
    with sshd(tmp_path / "a") as server:
        connector = client.to(
            server, Target(address=server.address, private_key=server.client_key, keep_alive=1, connect_timeout=5)
        )
        connector.connect()
        stop = threading.Timer(0.5, lambda: kill(server, signal.SIGSTOP))
        stop.start()
        begun = time.monotonic()
        try:
            with pytest.raises(ConnectError, match="connection lost while"):
                work(connector)
            assert time.monotonic() - begun < 25, (
                "four times the second between signs of life, and not the 30 of the work"
            )
        finally:
            stop.join()
            kill(server, signal.SIGCONT)
        begun = time.monotonic()
        assert connector.run(("echo", "again")).text == "again"
        seconds = time.monotonic() - begun
    fault("a machine hangs in the middle of work", "any", seen="given up after 4 signs of life", second=seconds)


def test_a_command_that_is_silent_for_long_is_no_dead_server(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        target = Target(address=server.address, private_key=server.client_key, keep_alive=0.5)
        assert client.to(server, target).run(("sh", "-c", "sleep 5; echo done")).text == "done"


@pytest.mark.parametrize(
    "settings",
    [
        {"Ciphers": "3des-cbc"},
        {"Ciphers": "aes256-ctr", "MACs": "hmac-sha1"},
        {"KexAlgorithms": "diffie-hellman-group1-sha1"},
    ],
    ids=lambda settings: " ".join(settings.values()),
)
def test_a_server_that_offers_old_algorithms_alone_is_told_which_to_allow(
    client: Client, tmp_path: Path, settings: dict[str, str]
) -> None:
    with sshd(tmp_path / "a", settings) as server:
        with pytest.raises(ConnectError, match="no algorithm in common") as caught:
            client.to(server).connect()
        assert "sshd_config" in caught.value.hint
        assert not caught.value.message.endswith("times now")
