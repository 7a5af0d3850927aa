from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sealpy.cli.report import describe
from sealpy.errors import (
    AuthError,
    ClusterfileError,
    CommandError,
    ConnectError,
    ImageError,
    NotReadyError,
    PhaseError,
    Place,
    PluginFailedError,
    PreflightError,
    Problem,
    SealpyError,
)

LOG = Path("/logs/r1.log")


def told(error: BaseException, *, log: Path | None = LOG) -> str:
    return "\n".join(describe(error, log=log).lines())


def test_every_problem_of_a_file_stands_on_its_line_with_its_place() -> None:
    problems = [
        Problem("unknown field 'host'", Place("Clusterfile", 3, 5), hint="did you mean 'hosts'?"),
        Problem("'ips' is empty", Place("Clusterfile", 9)),
    ]
    error = ClusterfileError("2 problems in Clusterfile", problems=problems, hint="mend them and run the command again")
    assert told(error) == (
        "error: 2 problems in Clusterfile\n"
        "  Clusterfile:3:5: unknown field 'host'\n"
        "    did you mean 'hosts'?\n"
        "  Clusterfile:9: 'ips' is empty\n"
        "next: mend them and run the command again\n"
        "log:  /logs/r1.log"
    )


def test_a_plugin_that_failed_is_told_with_its_place_and_each_cause() -> None:
    error = PluginFailedError(
        "licence",
        "SHELL",
        hook="PostInstall",
        hosts=["10.0.0.1"],
        problems=[Problem("10.0.0.1: 'check' failed with exit status 1\n  run out")],
        place=Place("Clusterfile", 9),
        hint="renew it",
    )
    assert told(error) == (
        "error: Clusterfile:9: plugin 'licence' (SHELL) failed at PostInstall on 10.0.0.1\n"
        "  10.0.0.1: 'check' failed with exit status 1\n"
        "  run out\n"
        "next: renew it\n"
        "log:  /logs/r1.log"
    )


def test_a_failed_phase_tells_each_host_with_its_last_ten_lines() -> None:
    error = PhaseError(
        "Initialize",
        {
            "10.0.0.1": CommandError(
                "10.0.0.1",
                "init control plane",
                exit_status=1,
                tail=[f"line {n}" for n in range(1, 13)],
                hint="read 'journalctl -u kubelet' there",
            ),
            "10.0.0.2": ConnectError("10.0.0.2:22", "no answer after 10 s"),
        },
        hint="run the same command again",
    )
    assert told(error) == (
        "error: phase 'Initialize' failed on 10.0.0.1, 10.0.0.2\n"
        "  10.0.0.1: 'init control plane' failed with exit status 1\n"
        + "".join(f"    │ line {n}\n" for n in range(3, 13))
        + "    next: read 'journalctl -u kubelet' there\n"
        "  10.0.0.2:22: no answer after 10 s\n"
        "next: run the same command again\n"
        "log:  /logs/r1.log"
    )


def test_preflight_tells_every_problem_of_every_host() -> None:
    error = PreflightError({"10.0.0.1": [Problem("swap is on"), Problem("2 GB of disk free, 20 GB needed")]})
    assert told(error, log=None) == (
        "error: 2 problems on 1 host\n  10.0.0.1: swap is on\n  10.0.0.1: 2 GB of disk free, 20 GB needed"
    )


def test_a_single_command_shows_its_last_lines_too() -> None:
    error = CommandError("10.0.0.1", "start containerd", exit_status=2, tail=["no such file"])
    assert "  │ no such file" in told(error)


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (SealpyError("x"), "error", 1),
        (ClusterfileError("x"), "config.clusterfile", 2),
        (AuthError("h", "x"), "host.auth", 3),
        (PhaseError("p", {}), "phase", 4),
        (ImageError("x"), "image", 5),
        (NotReadyError("x", waited=1, last_seen=""), "not_ready", 6),
        (KeyboardInterrupt(), "interrupted", 130),
        (PermissionError(13, "Permission denied", "/etc/x"), "os", 1),
        (KeyError("x"), "bug", 70),
    ],
)
def test_each_kind_of_error_has_its_code_and_exit_code(error: BaseException, code: str, exit_code: int) -> None:
    report = describe(error)
    assert (report.code, report.exit_code) == (code, exit_code)


def test_an_error_of_the_system_names_the_file() -> None:
    assert told(FileExistsError(17, "File exists", "/etc/x"), log=None) == "error: /etc/x: file exists"


def test_where_nothing_may_be_written_the_way_out_is_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    elsewhere = PermissionError(13, "Permission denied", "/etc/x")
    assert told(elsewhere, log=None).endswith("\nnext: take a place where you may write")


ANOTHER_HOME = "let SEALPY_HOME name a directory where you may write"


@pytest.mark.parametrize(
    ("number", "place", "way_out"),
    [
        (errno.EROFS, "home/images/.blobs.lock", ANOTHER_HOME),
        (errno.EROFS, "", ANOTHER_HOME),  # it is made with what is missing above it
        (errno.EACCES, "home", ANOTHER_HOME),
        (errno.ENOTDIR, "home/images/index.json", ANOTHER_HOME),
        (errno.EEXIST, "home", ANOTHER_HOME),
        (errno.ENOENT, "home", ANOTHER_HOME),
        (errno.ENOENT, "home/images/index.json", ""),
        (errno.EROFS, "home of another", "take a place where you may write"),
        (errno.EIO, "home/images/index.json", ""),
    ],
)
def test_where_the_home_cannot_be_used_the_way_out_is_another_one(
    number: int, place: str, way_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    text = told(OSError(number, os.strerror(number), str(tmp_path / place)), log=None)
    assert text.partition("\nnext: ")[2] == way_out


def test_a_bug_says_that_it_is_one_and_where_its_traceback_is() -> None:
    assert told(KeyError("x")) == (
        "error: this is a bug in sealpy: KeyError: 'x'\nnext: send the log file to the authors\nlog:  /logs/r1.log"
    )
