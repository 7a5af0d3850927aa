"""`sealpy check --pre` on real servers, some of which stand on machines that are not as they should be."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sealpy.cli.app import run
from sealpy.testing.sshd import Sshd, sshd

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
    import contextlib  # noqa: PLC0415 - for this fixture alone

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
