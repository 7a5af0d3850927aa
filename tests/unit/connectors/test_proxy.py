"""A program that leads to a machine: what goes through it, how it ends, and what is told when it leads nowhere."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest

from sealpy.connectors import proxy
from sealpy.connectors.proxy import Proxy
from sealpy.connectors.target import Target
from sealpy.errors import ConnectError


def through(command: str) -> Proxy:
    return Proxy(Target(address="10.0.0.5", host_name="db.site", proxy_command=command))


def ended(pid: int) -> bool:
    """Tell whether a process has ended, also when nobody has asked for its status yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def read(carrier: Proxy, size: int) -> bytes:
    data = b""
    while len(data) < size and (some := carrier.recv(size - len(data))):
        data += some
    return data


def test_bytes_go_both_ways_and_the_program_ends_with_the_connection() -> None:
    carrier = through("cat")
    carrier.settimeout(10)
    assert carrier.send(b"hello") == 5
    assert read(carrier, 5) == b"hello"
    carrier.close()
    carrier.close()
    assert carrier._process.returncode is not None
    assert carrier.refusal() is None


def test_waiting_has_the_bound_that_is_asked_for() -> None:
    carrier = through("sleep 100")
    carrier.settimeout(0.05)
    with pytest.raises(socket.timeout):
        carrier.recv(1)
    carrier.close()


def test_a_program_that_does_not_end_is_ended_with_all_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "_PATIENCE", 0.2)
    carrier = through(f"sh -c 'trap \"\" TERM; sleep 100 & echo $! > {tmp_path}/pid; echo; wait; wait; sleep 100'")
    carrier.settimeout(10)
    assert read(carrier, 1) == b"\n"
    carrier.close()
    assert carrier._process.returncode == -signal.SIGKILL
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while not ended(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("sh -c 'echo first >&2; echo no way there >&2; exit 3'", "ended with exit status 3: no way there"),
        ("false", "ended with exit status 1"),
        ("sh -c 'kill -9 $$'", "was ended by signal 9"),
        ("/nowhere/at-all", "ended with exit status 127: "),
    ],
)
def test_one_that_leads_nowhere_is_told_in_its_own_words(command: str, told: str) -> None:
    carrier = through(command)
    carrier._process.wait(10)
    refusal = carrier.refusal()
    carrier.close()
    assert refusal
    assert refusal.message.startswith(f"10.0.0.5 (db.site:22): its ProxyCommand {told}")
    assert refusal.hint == "run it by hand: ssh db.site"


def test_one_that_leads_to_nobody_is_told_and_ended() -> None:
    carrier = through("sh -c 'echo knocking >&2; exec sleep 100'")
    while not carrier._last_line():
        time.sleep(0.01)
    refusal = carrier.refusal()
    assert refusal
    assert refusal.message.endswith("its ProxyCommand led to nothing that answers: knocking")
    assert carrier._process.returncode == -signal.SIGTERM


def test_one_that_went_well_is_no_reason() -> None:
    carrier = through("true")
    carrier._process.wait(10)
    assert carrier.refusal() is None
    carrier.close()


def test_a_shell_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/nowhere/sh")
    with pytest.raises(ConnectError, match="cannot be started by /nowhere/sh: no such file or directory"):
        through("cat")
