"""`sealpy check --pre` on real servers, some of which stand on machines that are not as they should be."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sealpy.cli.app import run
from sealpy.testing.sshd import Sshd, make_key, sshd
from tests.ssh.processes import kill, wait_for

pytestmark = [
    pytest.mark.ssh,
    pytest.mark.skipif(os.geteuid() != 0, reason="other mounts for a server need root"),
]

Check = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """Run the command on some servers; gives the exit code and the result."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)

    def checked(*servers: Sshd, words: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        first, *others = servers
        machines = ["-m", first.address, *(("-n", ",".join(one.address for one in others)) if others else ())]
        login = ["--port", str(first.port), "--pk", str(first.client_key)]
        code = run(["check", "--pre", *machines, *login, "--output", "json", *words])
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        return code, lines[-1]

    return checked


def ids(result: dict[str, Any], host: str = "") -> set[str]:
    return {one["check"] for one in result["found"] if host in {"", one["host"]}}


def messages(result: dict[str, Any], check: str) -> list[tuple[str, str]]:
    return [(one["host"], one["message"]) for one in result["found"] if one["check"] == check]


def other_mounts(script: str) -> tuple[str, ...]:
    """Give the words that let a server see other mounts than the rest of this machine."""
    return ("unshare", "--mount", "--propagation", "private", "sh", "-ec", f'{script}; exec "$@"', "sh")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Callable[[str], tuple[Sshd, Sshd]]]:
    """Run two servers under two addresses; the second one sees other mounts."""
    with contextlib.ExitStack() as stack:

        def both(script: str) -> tuple[Sshd, Sshd]:
            first = stack.enter_context(sshd(tmp_path / "a"))
            (tmp_path / "b").mkdir()
            for name in ("client_ed25519", "client_ed25519.pub"):
                shutil.copy(tmp_path / "a" / name, tmp_path / "b" / name)
            settings = {"ListenAddress": "127.0.0.2"}
            second = stack.enter_context(sshd(tmp_path / "b", settings, port=first.port, within=other_mounts(script)))
            return first, second

        yield both


def test_what_this_machine_lacks_is_found_with_reason_and_fix(check: Check, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        code, result = check(server)
    assert all(one["reason"] and one["fix"] and one["severity"] in {"error", "warning"} for one in result["found"])
    assert result["errors"] == sum(one["severity"] == "error" for one in result["found"])
    assert code == (3 if result["errors"] else 0)


def test_a_clock_that_is_off_by_an_hour_is_found(
    check: Check, tmp_path: Path, pair: Callable[[str], tuple[Sshd, Sshd]]
) -> None:
    wrong = tmp_path / "date"
    wrong.write_text("#!/bin/sh\necho $(( $(/tmp/sealpy-date +%s) - 3600 )).5\n")
    wrong.chmod(0o755)
    real = shutil.which("date")
    script = f"touch /tmp/sealpy-date; mount --bind {real} /tmp/sealpy-date; mount --bind {wrong} {real}"
    try:
        code, result = check(*pair(script))
    finally:
        Path("/tmp/sealpy-date").unlink(missing_ok=True)
    assert code == 3
    assert messages(result, "clock") == [("127.0.0.2", "clock is 60 min behind against the others")]


def test_a_read_only_file_system_is_found(check: Check, pair: Callable[[str], tuple[Sshd, Sshd]]) -> None:
    code, result = check(*pair("mount --bind /etc /etc; mount -o remount,bind,ro /etc"))
    assert code == 3
    assert messages(result, "writable") == [("127.0.0.2", "/etc cannot be written to")]


def test_a_full_disk_is_found(check: Check, pair: Callable[[str], tuple[Sshd, Sshd]]) -> None:
    script = "mount -t tmpfs -o size=64k none /var/lib; head -c 100000 /dev/zero > /var/lib/full || true"
    code, result = check(*pair(script))
    assert code == 3
    assert ("127.0.0.2", "0 MiB free on /var/lib, 2048 are needed") in messages(result, "disk-space")


def test_a_place_from_which_nothing_can_be_run_is_found(check: Check, pair: Callable[[str], tuple[Sshd, Sshd]]) -> None:
    _, result = check(*pair("mount -t tmpfs -o noexec none /var/lib"))
    assert messages(result, "executable") == [("127.0.0.2", "/var/lib/sealpy/data is mounted noexec")]


def test_a_port_in_use_is_found_and_can_be_left_out(check: Check, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server, socket.create_server(("127.0.0.1", 10256)):
        _, result = check(server)
        assert messages(result, "ports") == [("127.0.0.1", "port 10256 is in use")]
        _, result = check(server, words=("--skip", "ports,swap"))
        assert "ports" not in ids(result)


def test_one_machine_under_two_addresses_is_found(check: Check, pair: Callable[[str], tuple[Sshd, Sshd]]) -> None:
    _, result = check(*pair("true"))
    for host in ("127.0.0.1", "127.0.0.2"):
        assert {"same-name", "same-machine-id", "same-mac"} <= ids(result, host)


def test_a_machine_that_cannot_be_reached_is_a_finding_beside_the_others(check: Check, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        gone = Sshd("127.0.0.9", server.port, server.client_key, server.host_key, server.log)
        code, result = check(server, gone)
    assert code == 3
    assert messages(result, "connect") == [("127.0.0.9", f"127.0.0.9:{server.port}: connection refused")]
    assert result["hosts"] == ["127.0.0.1", "127.0.0.9"]


def test_the_table_names_everything_and_the_last_line_counts(
    check: Check, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    del check
    with sshd(tmp_path / "a") as server:
        words = ["-m", server.address, "--port", str(server.port), "--pk", str(server.client_key)]
        run(["check", "--pre", *words, "--quiet"])
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["HOST", "CHECK", "SEVERITY", "FOUND", "WHAT", "TO", "DO"]
    assert lines[-1].startswith("1 host, ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "-m", "10.0.0.1"], "what to check is not said"),
        (["check", "-f", "shop.yaml"], "sealpy check --pre -f shop.yaml"),
        (["check", "--pre"], "give the machines either by --file or by --masters"),
        (["check", "--pre", "-f", "x", "-m", "10.0.0.1"], "give the machines either by --file or by --masters"),
        (["check", "--pre", "-m", "10.0.0.1", "--skip", "swop"], "--skip: there is no check 'swop'"),
    ],
)
def test_half_a_question_is_refused(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert message in capsys.readouterr().err


def test_every_check_is_listed_with_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--list", "--output", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"clock", "ways", "connect", "disk-space"} <= {one["check"] for one in listed}
    assert all(one["why"] for one in listed)


# ---- two machines with a network between them


@dataclass(frozen=True, slots=True)
class Site:
    """Know two servers in network namespaces of their own."""

    first: Sshd
    second: Sshd

    def block(self, *words: str) -> None:
        """Add a rule of iptables on the second one."""
        inside("sealpy-t2", "iptables", "-A", "INPUT", *words)

    def listening(self) -> set[str]:
        """Give the ports on which anything listens on either."""
        said = [inside(name, "ss", "-Hlnt") for name in ("sealpy-t1", "sealpy-t2")]
        return {line.split()[3].rpartition(":")[2] for text in said for line in text.splitlines()}


def inside(namespace: str, *words: str) -> str:
    done = subprocess.run(["ip", "netns", "exec", namespace, *words], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Connect two namespaces and this one by a bridge, and run a server in each of the two."""
    missing = [tool for tool in ("ip", "iptables", "ss", "systemd-socket-activate") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not here")
    _take_apart()
    try:
        _ip("link add sealpy-t0 type bridge")
        _ip("address add 10.99.250.1/24 dev sealpy-t0")
        _ip("link set sealpy-t0 up")
        for number in (1, 2):
            name = f"sealpy-t{number}"
            _ip(f"netns add {name}")
            _ip(f"link add {name} type veth peer name eth0 netns {name}")
            _ip(f"link set {name} master sealpy-t0 up")
            for words in ("link set lo up", f"address add 10.99.250.1{number}/24 dev eth0", "link set eth0 up"):
                _ip(f"-n {name} {words}")
            _ip(f"-n {name} route add default via 10.99.250.1")
        with contextlib.ExitStack() as stack:
            yield Site(*_servers(stack, tmp_path))
    finally:
        _take_apart()


def _servers(stack: contextlib.ExitStack, directory: Path) -> Iterator[Sshd]:
    key = make_key(directory / "key")
    for number in (1, 2):
        place = directory / f"machine{number}"
        place.mkdir()
        for suffix in ("", ".pub"):
            shutil.copy(f"{key}{suffix}", place / f"client_ed25519{suffix}")
        within = ("ip", "netns", "exec", f"sealpy-t{number}")
        settings = {"ListenAddress": f"10.99.250.1{number}"}
        server = stack.enter_context(sshd(place, settings, port=2222, within=within))
        # The links go before the last words of a connection are through: nothing else would end its session.
        stack.callback(kill, server, signal.SIGKILL)
        yield server


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True)


def _take_apart() -> None:
    links = [f"link delete sealpy-t{number}" for number in (1, 2, 0)]  # first: a namespace lives while a process does
    for words in (*links, "netns delete sealpy-t1", "netns delete sealpy-t2"):
        subprocess.run(["ip", *words.split()], check=False, capture_output=True)


def test_every_way_is_open_on_a_plain_network_and_nothing_listens_afterwards(check: Check, site: Site) -> None:
    _, result = check(site.first, site.second)
    assert messages(result, "ways") == []
    wait_for(lambda: site.listening() == {"2222"})


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("-p tcp --dport 10250 -j DROP", "no answer"),
        ("-p tcp --dport 10250 -j REJECT", "connection refused"),
        ("-p tcp --dport 10250 -j REJECT --reject-with icmp-host-prohibited", "no route to host"),
    ],
)
def test_a_way_that_a_firewall_closes_is_found_with_both_ends(check: Check, site: Site, rule: str, reason: str) -> None:
    site.block(*rule.split())
    code, result = check(site.first, site.second)
    assert code == 3
    ((host, message),) = messages(result, "ways")
    closed, _, said = message.partition(": ")
    assert (host, closed) == ("10.99.250.11", "does not reach 10.99.250.12 at port 10250")
    assert said in {reason, "no answer"}, "a kernel that is busy sends no refusals"
    wait_for(lambda: site.listening() == {"2222"})
