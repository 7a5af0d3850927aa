"""Servers as they are found in the field: few sessions, few ciphers, slow, chatty, gone."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.target import Target
from sealpy.errors import AuthError, CommandTimeoutError, ConnectError, HostError, TransferError
from sealpy.testing.sshd import sshd
from tests.faults import Fault
from tests.ssh.conftest import Client, User

pytestmark = pytest.mark.ssh


def alive(connector: SshConnector, word: str) -> bool:
    """Tell whether a process has this word among its arguments."""
    return connector.run(("sh", "-c", 'grep -lzx "$1" /proc/[0-9]*/cmdline', "sh", word)).stdout.count(b"\n") > 1


@pytest.mark.parametrize(
    "settings",
    [
        {"Ciphers": "aes256-gcm@openssh.com"},
        {"Ciphers": "aes256-ctr", "MACs": "hmac-sha2-512-etm@openssh.com"},
        {"Ciphers": "aes128-ctr", "MACs": "hmac-sha2-256"},
        {"KexAlgorithms": "diffie-hellman-group14-sha256"},
        {"KexAlgorithms": "ecdh-sha2-nistp256"},
        {"Compression": "yes"},
        {"MaxSessions": "1"},
        {"MaxAuthTries": "1"},
        {"PermitTTY": "no"},
        {"RekeyLimit": "1M"},
    ],
    ids=lambda settings: " ".join(f"{name} {value}" for name, value in settings.items()),
)
def test_a_server_set_up_strictly_is_enough(client: Client, tmp_path: Path, settings: dict[str, str]) -> None:
    with sshd(tmp_path / "a", settings) as server:
        connector = client.to(server)
        for _ in range(2):
            assert connector.run(("echo", "hello")).text == "hello"
            assert connector.stream(("wc", "-c"), (b"x" * 65536 for _ in range(64))).text == "4194304"


def test_the_fastest_cipher_is_agreed_on(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a", {"LogLevel": "DEBUG2"}) as server:
        client.to(server).connect()

        assert "kex: client->server cipher: aes128-gcm@openssh.com" in server.log.read_text()


def test_no_cipher_in_common_is_said(client: Client, tmp_path: Path) -> None:
    with (
        sshd(tmp_path / "a", {"Ciphers": "chacha20-poly1305@openssh.com"}) as server,
        pytest.raises(ConnectError, match="no algorithm in common") as caught,
    ):
        client.to(server).connect()

    assert "sshd_config" in caught.value.hint


class TestOneSessionOnly:
    """`MaxSessions 1`: the resident shell and a stream cannot be there at once."""

    @pytest.fixture
    def connector(self, client: Client, tmp_path: Path) -> Iterator[SshConnector]:
        with sshd(tmp_path / "a", {"MaxSessions": "1"}) as server:
            yield client.to(server)

    def test_a_command_past_its_time_is_ended(self, connector: SshConnector) -> None:
        with pytest.raises(CommandTimeoutError):
            connector.run(("sleep", "54321"), timeout=0.2)

        assert not alive(connector, "54321")

    def test_a_stream_past_its_time_is_ended(self, connector: SshConnector) -> None:
        with pytest.raises(CommandTimeoutError):
            connector.stream(("sleep", "65432"), [b""], timeout=0.2)

        assert not alive(connector, "65432")


def test_a_stream_past_its_time_is_ended_on_the_host(client: Client, tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    with sshd(tmp_path / "a") as server:
        connector = client.to(server)
        with pytest.raises(CommandTimeoutError):
            connector.stream(("sleep", "76543"), endless(), timeout=0.5)

        assert not alive(connector, "76543")


def test_a_stream_whose_source_fails_does_not_look_whole(client: Client, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the disk is gone")

    with sshd(tmp_path / "a") as server:
        connector = client.to(server)
        with pytest.raises(OSError, match="the disk is gone"):
            connector.stream(("sh", "-c", f"cat && touch {tmp_path}/whole"), broken())

        connector.run(("true",))
        assert not (tmp_path / "whole").exists()


def test_a_stream_that_is_refused_ends_early_with_the_reason(client: Client, tmp_path: Path) -> None:
    taken = itertools.count()

    def many() -> Iterator[bytes]:
        while next(taken) < 10_000:
            yield b"x" * 65536

    with sshd(tmp_path / "a") as server:
        result = client.to(server).stream(("sh", "-c", "head -c 100000 >/dev/null; echo no space >&2; exit 1"), many())

    assert (result.exit_status, result.reason) == (1, "no space")
    assert next(taken) < 1000


def test_a_stream_that_is_only_half_taken_is_no_success(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server, pytest.raises(TransferError, match="before its input did"):
        client.to(server).stream(("head", "-c", "10"), (b"x" * 65536 for _ in range(500)))


def test_a_stream_that_answers_much_does_not_lock_up(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        result = client.to(server).stream(("cat",), (b"x" * 65536 for _ in range(320)))

    assert len(result.stdout) == 320 * 65536


def test_a_lost_connection_is_told_and_the_next_command_connects_anew(
    client: Client, tmp_path: Path, fault: Fault
) -> None:
    with sshd(tmp_path / "a") as server:
        connector = client.to(server)
        pid = server_process_of(connector)
        with pytest.raises(ConnectError, match=r"connection lost while .*sh -c .* ran, so its outcome"):
            connector.run(("sh", "-c", f"kill -9 {pid}; sleep 5"))

        begun = time.monotonic()
        assert connector.run(("echo", "again")).text == "again"
        seconds = time.monotonic() - begun
    seen = "told that its outcome is unknown; the next command connects anew"
    fault("the connection is lost in the middle of a command", "any", seen=seen, second=seconds)


def test_a_connection_lost_meanwhile_is_made_anew(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        connector = client.to(server)
        os.kill(server_process_of(connector), signal.SIGKILL)
        wait_for_the_end_of(connector)

        assert connector.run(("echo", "again")).text == "again"


def test_a_connection_lost_in_a_stream_is_told(client: Client, tmp_path: Path) -> None:
    def cut() -> Iterator[bytes]:
        yield b"x" * 65536
        os.kill(pid, signal.SIGKILL)
        while True:
            yield b"x" * 65536

    with sshd(tmp_path / "a") as server:
        connector = client.to(server)
        pid = server_process_of(connector)
        with pytest.raises(ConnectError, match=r"connection lost while .*sh -c .* ran"):
            connector.stream(("sh", "-c", "cat >/dev/null"), cut())


def server_process_of(connector: SshConnector) -> int:
    """Find the process of sshd that serves this connection: three above a command, behind two shells."""
    up = 'p=$PPID; for i in 1 2; do p=$(awk "{print \\$4}" /proc/$p/stat); done; echo $p'
    return int(connector.run(("sh", "-c", up)).text)


def wait_for_the_end_of(connector: SshConnector) -> None:
    deadline = time.monotonic() + 60
    while connector.connected and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_command_that_kills_its_shell_is_survived(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        connector = client.to(server)
        with pytest.raises(HostError, match=r"the shell ended while .*sh -c .* ran, so its outcome"):
            connector.run(("sh", "-c", "kill -9 $PPID $(awk '{print $4}' /proc/$PPID/stat)"))

        assert connector.run(("echo", "again")).text == "again"


class TestWhatAnswersInsteadOfAServer:
    """The address is wrong, the port is wrong, or the machine is in trouble."""

    @pytest.fixture
    def listener(self) -> Iterator[socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as made:
            yield made

    def connector(
        self, client: Client, port: int, *, address: str = "127.0.0.1", timeout: float = 20.0
    ) -> SshConnector:
        target = Target(address=address, port=port, connect_timeout=timeout)
        return SshConnector(target, client.jumps)

    def test_nothing(self, client: Client, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        listener.close()
        with pytest.raises(ConnectError, match=rf"127\.0\.0\.1:{port}: connection refused") as caught:
            self.connector(client, port).connect()

        assert caught.value.retryable
        assert caught.value.host == "127.0.0.1"

    def test_silence(self, client: Client, listener: socket.socket) -> None:
        with pytest.raises(ConnectError, match="SSH"):
            self.connector(client, listener.getsockname()[1], timeout=0.5).connect()

    def test_something_else(self, client: Client, listener: socket.socket) -> None:
        def speak() -> None:
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError):
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                peer.shutdown(socket.SHUT_WR)
                peer.recv(1024)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        with pytest.raises(ConnectError, match="what answers there is no SSH server"):
            self.connector(client, listener.getsockname()[1]).connect()
        thread.join()

    def test_no_such_name(self, client: Client) -> None:
        with pytest.raises(ConnectError, match=r"no-such-host\.invalid:22"):
            self.connector(client, 22, address="no-such-host.invalid").connect()


def test_a_banner_that_takes_its_time_is_waited_for(client: Client, tmp_path: Path) -> None:
    def relay() -> None:
        with listener.accept()[0] as near, socket.create_connection((server.address, server.port)) as far:
            time.sleep(1)
            back = threading.Thread(target=carry, args=(far, near), daemon=True)
            back.start()
            carry(near, far)
            back.join()

    with sshd(tmp_path / "a") as server, socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=relay, daemon=True)
        thread.start()
        slow = replace(server, port=listener.getsockname()[1])
        connector = client.to(slow)
        assert connector.run(("true",)).ok
        connector.close()
        thread.join()


def carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def test_what_a_login_script_prints_is_nobodys_output(client: Client, tmp_path: Path, free_sudoer: User) -> None:
    script = Path(f"~{free_sudoer.name}/.bashrc").expanduser()
    script.write_text("echo welcome; echo careful >&2\n")
    with sshd(tmp_path / "a", free_sudoer.settings) as server:
        connector = client.to(server, free_sudoer.by_key())

        assert connector.run(("echo", "hello")).stdout == b"hello\n"
        assert connector.stream(("cat",), [b"data"]).stdout == b"data"


def test_a_user_without_a_shell_is_told(client: Client, tmp_path: Path, user: User) -> None:
    subprocess.run(["usermod", "--shell", "/usr/sbin/nologin", user.name], check=True)
    try:
        with sshd(tmp_path / "a", user.settings) as server, pytest.raises(AuthError, match="not available"):
            client.to(server, user.by_key()).connect()
    finally:
        subprocess.run(["usermod", "--shell", "/bin/bash", user.name], check=True)


class TestForward:
    """A local port leads to what the machine reaches."""

    def test_it_carries_what_is_said(self, client: Client, tmp_path: Path) -> None:
        with sshd(tmp_path / "a") as server:
            connector = client.to(server)
            with connector.forward("127.0.0.1", server.port) as local:
                for _ in range(3):
                    with socket.create_connection(local) as peer:
                        assert peer.recv(8) == b"SSH-2.0-"
                assert connector.run(("echo", "beside it")).text == "beside it"
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(local)

    def test_connections_end_with_it(self, client: Client, tmp_path: Path) -> None:
        with sshd(tmp_path / "a") as server:
            with client.to(server).forward("127.0.0.1", server.port) as local:
                peer = socket.create_connection(local)
                assert peer.recv(8) == b"SSH-2.0-"
            with peer:
                peer.settimeout(60)
                while peer.recv(1024):
                    pass

    def test_nobody_there_is_told_at_once(self, client: Client, tmp_path: Path) -> None:
        with (
            sshd(tmp_path / "a") as server,
            pytest.raises(ConnectError, match=r"cannot reach 127\.0\.0\.1:1 from there"),
            client.to(server).forward("127.0.0.1", 1),
        ):
            pass

    def test_a_server_that_forbids_it_is_told(self, client: Client, tmp_path: Path) -> None:
        with (
            sshd(tmp_path / "a", {"AllowTcpForwarding": "no"}) as server,
            pytest.raises(ConnectError, match="cannot reach") as caught,
            client.to(server).forward("127.0.0.1", server.port),
        ):
            pass

        assert "AllowTcpForwarding" in caught.value.hint
