"""Through jump hosts: each is verified and logged in to as itself, once for all machines behind it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.connectors.reach import Ways
from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.target import Target
from sealpy.errors import AuthError, ConnectError, HostKeyError
from sealpy.testing.sshd import Sshd, make_key, sshd
from tests.ssh.conftest import PASSWORD, Client, User
from tests.ssh.processes import frozen, sessions_of, wait_for

pytestmark = pytest.mark.ssh


def at(server: Sshd, *jumps: Target) -> Target:
    return Target(
        address=server.address, port=server.port, private_key=server.client_key, jumps=jumps, connect_timeout=20
    )


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Sshd, Sshd, Sshd]]:
    """Run two jump hosts and a machine, each with keys of its own."""
    with sshd(tmp_path / "a") as first, sshd(tmp_path / "b") as second, sshd(tmp_path / "c") as machine:
        yield first, second, machine


def logins(server: Sshd) -> int:
    return server.log.read_text().count("Accepted publickey")


def test_commands_streams_and_tunnels_go_through_one(client: Client, servers: tuple[Sshd, Sshd, Sshd]) -> None:
    jump, _, machine = servers
    connector = client.reach(at(machine, at(jump)))
    assert connector.run(("echo", "hello")).text == "hello"
    assert connector.stream(("wc", "-c"), (b"x" * 65536 for _ in range(320))).text == str(320 * 65536)
    with connector.forward("127.0.0.1", machine.port):
        pass
    assert (logins(jump), logins(machine)) == (1, 1)


def test_a_chain_is_walked_hop_by_hop(client: Client, servers: tuple[Sshd, Sshd, Sshd]) -> None:
    first, second, machine = servers
    assert client.reach(at(machine, at(first), at(second))).run(("echo", "hello")).text == "hello"
    assert [logins(server) for server in servers] == [1, 1, 1]
    assert f"to 127.0.0.1 port {second.port}" not in machine.log.read_text()
    assert client.known_hosts.read_text().count("[127.0.0.1]") == 3, "every hop was verified"


def test_many_machines_share_one_login_also_where_few_may_log_in_at_once(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a", {"MaxStartups": "1:100:1", "MaxSessions": "1"}) as jump, contextlib.ExitStack() as stack:
        machines = [stack.enter_context(sshd(tmp_path / f"m{number}")) for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            connectors = [client.reach(at(machine, at(jump))) for machine in machines]
            said = list(pool.map(lambda connector: connector.run(("echo", "hello")).text, connectors))
        assert said == ["hello"] * 8
        assert logins(jump) == 1


def test_the_login_ends_with_the_last_machine_and_is_made_again(
    client: Client, servers: tuple[Sshd, Sshd, Sshd]
) -> None:
    jump, second, machine = servers
    one, other = client.reach(at(machine, at(jump))), client.reach(at(second, at(jump)))
    one.connect()
    other.connect()
    one.close()
    assert other.run(("echo", "still")).text == "still"
    other.close()
    wait_for(lambda: not sessions_of(jump))
    assert one.run(("echo", "again")).text == "again"
    assert logins(jump) == 2


@pytest.mark.parametrize("behind", [False, True], ids=["the first", "the second"])
def test_a_jump_host_that_refuses_is_named_and_asked_only_once(
    client: Client,
    tmp_path: Path,
    servers: tuple[Sshd, Sshd, Sshd],
    behind: bool,  # noqa: FBT001 - a case
) -> None:
    first, second, machine = servers
    wrong = make_key(tmp_path / "wrong")
    hops = (at(first), replace(at(second), private_key=wrong)) if behind else (replace(at(first), private_key=wrong),)
    refusing = second if behind else first
    for _ in range(3):
        with pytest.raises(AuthError) as caught:
            client.reach(at(machine, *hops)).connect()
        assert caught.value.message == (
            f"127.0.0.1:{machine.port}: jump host 127.0.0.1:{refusing.port}: login as 'root' refused"
        )
        assert str(wrong) in caught.value.hint
        assert caught.value.host == machine.address
    assert logins(machine) == 0
    assert refusing.log.read_text().count("Connection from ") <= 2, "one login, and the test that it listens"


def test_the_password_of_the_machines_is_never_tried_on_the_way(
    client: Client, tmp_path: Path, user: User, servers: tuple[Sshd, Sshd, Sshd]
) -> None:
    with sshd(tmp_path / "d", {**user.settings, "PasswordAuthentication": "yes"}) as jump:
        hop = Target(address=jump.address, port=jump.port, user=user.name)
        with pytest.raises(AuthError, match="jump host") as caught:
            client.reach(replace(at(servers[2], hop), password=user.by_password().password)).connect()
        assert "there was no key, agent or password to try" in caught.value.hint
        assert "Failed password" not in jump.log.read_text()
        assert PASSWORD not in str(caught.value)


def test_a_jump_host_with_another_key_than_known_stops_everything(
    client: Client, tmp_path: Path, servers: tuple[Sshd, Sshd, Sshd]
) -> None:
    jump, _, machine = servers
    make_key(tmp_path / "other")
    known = (tmp_path / "other.pub").read_text()
    client.known_hosts.write_text(f"[127.0.0.1]:{jump.port} {known}")
    with pytest.raises(HostKeyError, match=rf"jump host 127\.0\.0\.1:{jump.port}: host key has changed"):
        client.reach(at(machine, at(jump))).connect()
    assert "userauth" not in jump.log.read_text()
    assert logins(machine) == 0


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"AllowTcpForwarding": "no"}, "it lets nobody go further", "AllowTcpForwarding yes"),
        ({"PermitOpen": "127.0.0.1:1"}, "it lets nobody go further", "PermitOpen"),
    ],
)
def test_a_jump_host_that_forwards_nothing_is_told(
    client: Client, tmp_path: Path, servers: tuple[Sshd, Sshd, Sshd], settings: dict[str, str], message: str, hint: str
) -> None:
    with sshd(tmp_path / "d", settings) as jump:
        with pytest.raises(ConnectError) as caught:
            client.reach(at(servers[2], at(jump))).connect()
        assert caught.value.message == f"127.0.0.1:{servers[2].port}: jump host 127.0.0.1:{jump.port}: {message}"
        assert hint in caught.value.hint


def test_a_machine_that_the_jump_host_does_not_reach_is_told(client: Client, servers: tuple[Sshd, Sshd, Sshd]) -> None:
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1:1: jump host .*: it finds no way from there: connect failed"):
        client.reach(replace(at(servers[2], at(servers[0])), port=1)).connect()


def test_a_machine_that_stops_behind_a_jump_host_is_found_in_the_middle_of_a_command(
    client: Client, servers: tuple[Sshd, Sshd, Sshd]
) -> None:
    jump, _, machine = servers
    connector = client.reach(replace(at(machine, at(jump)), keep_alive=1))
    connector.connect()
    with frozen(machine):
        begun = time.monotonic()
        with pytest.raises(ConnectError, match="connection lost while 'sleep 30' ran"):
            connector.run(("sleep", "30"), timeout=40)
        assert time.monotonic() - begun < 25


def test_a_jump_host_that_dies_is_connected_to_again(client: Client, servers: tuple[Sshd, Sshd, Sshd]) -> None:
    jump, _, machine = servers
    connector = client.reach(at(machine, at(jump)))
    assert connector.run(("true",)).ok
    for pid in sessions_of(jump):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not connector.connected)
    assert connector.run(("echo", "again")).text == "again"


def test_an_address_behind_a_jump_host_is_never_this_machine(
    client: Client, servers: tuple[Sshd, Sshd, Sshd], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealpy.connectors.reach.is_this_machine", lambda _: True)
    ways = Ways(known_hosts=client.known_hosts, emit=client.events.append, ssh_dir=client.ssh_dir)
    assert isinstance(ways.to(at(servers[2], at(servers[0]))), SshConnector)
    assert not isinstance(ways.to(at(servers[2])), SshConnector)
