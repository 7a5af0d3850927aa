"""What the resident shell keeps, on every POSIX shell of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.connectors.local import LocalPipe
from sealpy.connectors.pipe import PipeClosedError
from sealpy.connectors.shell import Command, OverdueError, ResidentShell
from sealpy.sdk import Result

SHELLS = [("dash",), ("bash", "--posix"), ("busybox", "sh"), ("ksh",), ("mksh",), ("yash",)]


@pytest.fixture(params=[words for words in SHELLS if shutil.which(words[0])], ids=lambda words: words[0])
def shell(request: pytest.FixtureRequest) -> Iterator[ResidentShell]:
    """Begin each POSIX shell that this machine has: what is `/bin/sh` differs from host to host."""
    made = ResidentShell(LocalPipe(request.param), timeout=60)
    yield made
    made.close()


def run(shell: ResidentShell, *argv: str, timeout: float = 60.0) -> Result:
    return shell.run(Command(argv=argv), timeout=timeout)


def test_commands_leave_nothing_behind_for_the_next_one(shell: ResidentShell) -> None:
    run(shell, "sh", "-c", "cd /usr; umask 0; exit 3")

    assert run(shell, "sh", "-c", "pwd; exit $FOO").text == "/"
    assert shell.run(Command(argv=("printenv", "FOO"), env=(("FOO", "1"),)), timeout=60).text == "1"
    assert run(shell, "printenv", "FOO").exit_status == 1


@pytest.mark.parametrize("word", ["exit", "cd", "return", "kill", "exec", "r", "i", "e", "wait"])
def test_what_the_shell_itself_knows_is_no_command(shell: ResidentShell, word: str) -> None:
    run(shell, word, "0")

    assert run(shell, "echo", "still here").text == "still here"


def test_a_command_that_reads_does_not_eat_the_script(shell: ResidentShell) -> None:
    for _ in range(3):
        assert run(shell, "sh", "-c", "cat; read x; echo end").text == "end"


def test_any_byte_goes_through_in_both_directions(shell: ResidentShell) -> None:
    data = bytes(range(256)) * 100

    assert shell.run(Command(argv=("cat",), stdin=data), timeout=60).stdout == data


def test_much_output_comes_whole(shell: ResidentShell) -> None:
    result = run(shell, "sh", "-c", "head -c 10000000 /dev/zero; head -c 1000000 /dev/zero >&2")

    assert (len(result.stdout), len(result.stderr)) == (10_000_000, 1_000_000)


def test_what_an_earlier_command_left_running_says_is_nobodys_output(shell: ResidentShell) -> None:
    run(shell, "sh", "-c", "(sleep 0.2; echo late; echo late >&2) &")
    time.sleep(0.4)

    assert shell.usable()
    assert run(shell, "echo", "mine") == Result(stdout=b"mine\n")


def test_variables_and_input_are_seen_in_no_list_of_processes(shell: ResidentShell) -> None:
    command = Command(argv=("ps", "-eo", "args"), stdin=b"hunter2", env=(("PASSWORD", "hunter3"),))
    shown = shell.run(command, timeout=60)

    assert shown.ok
    assert b"hunter" not in shown.stdout


@pytest.fixture
def mark() -> str:
    """Give seconds to sleep by which processes of this test are known, though others run the same beside it."""
    return f"{os.getpid()}{time.time_ns() % 1000:03}00"


def processes() -> str:
    return subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout


class TestPastItsTime:
    """A command that takes too long is ended with all that it began."""

    @pytest.mark.parametrize(
        "script",
        [
            "echo begun; sleep $1",
            "echo begun; sleep $1 & sleep $1",
            "echo begun; timeout $1 sleep $1",
            pytest.param(
                "echo begun; trap '' TERM; (sleep $1); sleep $1",
                marks=pytest.mark.ssh,  # takes seconds: SIGKILL comes three seconds after SIGTERM
            ),
        ],
        ids=["plain", "with a child", "with a process group of its own", "deaf to SIGTERM"],
    )
    def test_all_of_it_is_ended(self, shell: ResidentShell, mark: str, script: str) -> None:
        for allowed in (0.3, 3, 30):  # a busy machine may take its time to begin
            with pytest.raises(OverdueError) as caught:
                run(shell, "sh", "-c", script, "sh", mark, timeout=allowed)
            if caught.value.result.stdout:
                break

        assert caught.value.result.stdout == b"begun\n"
        assert run(shell, "echo", "next").text == "next"  # in order: what was to be ended has ended by now
        assert mark not in processes()

    def test_its_input_is_of_no_help(self, shell: ResidentShell, mark: str) -> None:
        with pytest.raises(OverdueError):
            shell.run(Command(argv=("sleep", mark), stdin=b"data"), timeout=0.3)

        assert mark not in processes()


def test_a_shell_that_is_gone_is_noticed(shell: ResidentShell) -> None:
    with pytest.raises(PipeClosedError):
        run(shell, "sh", "-c", "kill -9 $PPID $(awk '{print $4}' /proc/$PPID/stat)")

    assert not shell.usable()


def test_lines_are_told_while_the_command_runs(shell: ResidentShell, tmp_path: Path) -> None:
    lines: list[str] = []
    heard = tmp_path / "heard"  # the command goes on when its first line has been told

    def hear(line: str) -> None:
        lines.append(line)
        heard.touch()

    script = 'echo one; until [ -e "$1" ]; do sleep 0.01; done; printf two; echo; printf "no end"'
    shell.run(Command(argv=("sh", "-c", script, "sh", str(heard))), timeout=50, on_line=hear)

    assert lines == ["one", "two", "no end"]


@pytest.mark.parametrize(
    ("argv", "env", "message"),
    [
        ((), (), "at least one word"),
        (("echo", "a\0b"), (), "NUL"),
        (("true",), (("A", "\0"),), "NUL"),
        (("true",), (("A B", "1"),), "'A B' is no name of an environment variable"),
        (("true",), (("", "1"),), "'' is no name"),
    ],
)
def test_what_no_shell_can_take_is_refused(
    argv: tuple[str, ...], env: tuple[tuple[str, str], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Command(argv=argv, env=env)
