"""~/.ssh/config leads to real servers as the ssh program would be led."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import pytest

from sealpy.clusterfile import Ssh
from sealpy.connectors.secret import Secret
from sealpy.connectors.sshconfig import SshConfig
from sealpy.connectors.target import Target
from sealpy.errors import AuthError, ConnectError, HostKeyError
from sealpy.inventory import Logins
from sealpy.testing.sshd import make_key, sshd
from tests.ssh.conftest import Client
from tests.ssh.processes import wait_for

pytestmark = pytest.mark.ssh

ADDRESS = "192.0.2.5"  # of no machine: the config says where it really is


def target(directory: Path, text: str, ssh: Ssh | None = None) -> Target:
    config = directory / "config"
    config.write_text(text)
    config.chmod(0o600)
    (found,) = Logins(SshConfig.read(config)).of((ADDRESS,), ssh or Ssh())
    return found


def test_name_port_user_and_key_come_from_the_config(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        found = target(
            tmp_path,
            f"Host {ADDRESS}\n HostName localhost\n Port {server.port}\n User {getpass.getuser()}\n"
            f" IdentityFile {server.client_key}\n",
        )
        assert client.reach(found).run(("echo", "hello")).text == "hello"
        assert f"[localhost]:{server.port} " in client.known_hosts.read_text()


def test_the_files_of_known_hosts_and_the_alias_come_from_the_config(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        theirs = tmp_path / "theirs"
        theirs.write_text(f"five {server.host_key_line}\n")
        text = (
            f"HostName 127.0.0.1\nPort {server.port}\nIdentityFile {server.client_key}\nStrictHostKeyChecking yes\n"
            f"UserKnownHostsFile {theirs}\n"
        )
        with pytest.raises(HostKeyError, match="is unknown and the policy is 'strict'"):
            client.reach(target(tmp_path, text)).connect()

        assert client.reach(target(tmp_path, f"{text}HostKeyAlias five\n")).run(("true",)).ok
        assert not client.known_hosts.exists()


def test_a_key_of_the_config_that_is_not_there_is_passed_over(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        text = (
            f"HostName 127.0.0.1\nPort {server.port}\n"
            f"IdentityFile {tmp_path}/nowhere\nIdentityFile {server.client_key}\n"
        )
        assert client.reach(target(tmp_path, text)).run(("true",)).ok


def test_only_the_keys_of_the_config_are_tried_when_it_says_so(client: Client, tmp_path: Path) -> None:
    client.ssh_dir.mkdir()
    (client.ssh_dir / "id_ed25519").write_bytes(make_key(tmp_path / "usual").read_bytes())
    other = make_key(tmp_path / "other")
    with sshd(tmp_path / "a", {"AuthorizedKeysFile": str(tmp_path / "usual.pub")}) as server:
        text = f"HostName 127.0.0.1\nPort {server.port}\n"
        assert client.reach(target(tmp_path, text)).run(("true",)).ok

        with pytest.raises(AuthError) as caught:
            client.reach(target(tmp_path, f"{text}IdentityFile {other}\nIdentitiesOnly yes\n")).connect()

    assert caught.value.hint.startswith(f"tried key {other}; the host takes publickey")


def test_the_time_to_connect_comes_from_the_config(client: Client, tmp_path: Path) -> None:
    found = target(tmp_path, "HostName 198.51.100.1\nConnectTimeout 1\n", Ssh(password="x"))
    assert found.password == Secret("x")
    with pytest.raises(ConnectError, match=rf"^{ADDRESS} \(198\.51\.100\.1:22\): "):
        client.reach(found).connect()


def test_a_proxycommand_leads_there_and_ends_with_the_connection(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        # The address is that of no machine; the program alone knows where it is.
        relay = tmp_path / "relay.py"
        relay.write_text(_RELAY)
        text = f"IdentityFile {server.client_key}\nProxyCommand {sys.executable} {relay} {server.port} '%h' %p\n"
        connector = client.reach(target(tmp_path, text))
        assert connector.run(("echo", "hello")).text == "hello"
        assert connector.stream(("wc", "-c"), (b"x" * 65536 for _ in range(320))).text == str(320 * 65536)
        assert client.known_hosts.read_text().startswith(f"{ADDRESS} ssh-ed25519")
        assert _running(relay)
        connector.close()
        wait_for(lambda: not _running(relay))


def test_the_ssh_program_is_a_proxycommand(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as jump, sshd(tmp_path / "b") as server:
        way = f"ssh -F none -i {jump.client_key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        text = (
            f"HostName 127.0.0.1\nPort {server.port}\nIdentityFile {server.client_key}\n"
            f'ProxyCommand {way} -p {jump.port} -W "%h:%p" 127.0.0.1\n'
        )
        assert client.reach(target(tmp_path, text)).run(("echo", "hello")).text == "hello"
        with pytest.raises(ConnectError, match=r"its ProxyCommand ended with exit status 255: .*(refused|closed)"):
            client.reach(target(tmp_path, text.replace(f"-p {jump.port}", "-p 1"))).connect()


def test_a_proxycommand_behind_which_nobody_answers_is_given_up(client: Client, tmp_path: Path) -> None:
    found = target(tmp_path, "ConnectTimeout 1\nProxyCommand sleep 100\n")
    with pytest.raises(ConnectError, match="its ProxyCommand led to nothing that answers"):
        client.reach(found).connect()


def _running(relay: Path) -> bool:
    return any(str(relay) in _command(pid) for pid in Path("/proc").glob("[0-9]*"))


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:
        return ""


_RELAY = """\
import socket, sys, threading, os
port, host, asked = sys.argv[1:]
assert (host, asked) == ("192.0.2.5", "22"), sys.argv
there = socket.create_connection(("127.0.0.1", int(port)))
def back():
    while data := there.recv(65536):
        os.write(1, data)
threading.Thread(target=back, daemon=True).start()
while data := os.read(0, 65536):
    there.sendall(data)
"""
