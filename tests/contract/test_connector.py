"""What every Connector keeps: the fake, this machine, and a real sshd."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.connectors import Connector
from sealpy.connectors.jump import Jumps
from sealpy.connectors.local import LocalConnector
from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.target import Target
from sealpy.errors import CommandError, HostError
from sealpy.sdk import Result
from sealpy.testing.connector import Asked, FakeConnector
from sealpy.testing.sshd import sshd


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    argv: tuple[str, ...]
    stdin: bytes = b""
    env: tuple[tuple[str, str], ...] = ()
    stdout: bytes = b""
    stderr: bytes = b""
    exit_status: int = 0


BYTES = bytes(range(256)) * 4
NOT_FOUND = b"sh: no-such-program: not found\n"
CASES = [
    Case(name="gives the standard output", argv=("echo", "hello"), stdout=b"hello\n"),
    Case(name="gives output that does not end its last line", argv=("printf", "no end"), stdout=b"no end"),
    Case(
        name="keeps the two streams apart",
        argv=("sh", "-c", "echo out; echo err >&2"),
        stdout=b"out\n",
        stderr=b"err\n",
    ),
    Case(name="gives the exit status", argv=("sh", "-c", "exit 7"), exit_status=7),
    Case(
        name="takes words as they are",
        argv=("printf", "%s|", "a b", "$HOME", "'\"`\\", "", "*", "ü\n"),
        stdout=("a b|$HOME|'\"`\\||*|ü\n|".encode()),
    ),
    Case(name="feeds standard input, byte for byte", argv=("cat",), stdin=BYTES, stdout=BYTES),
    Case(name="feeds much standard input", argv=("cat",), stdin=BYTES * 400, stdout=BYTES * 400),
    Case(name="gives no input when there is none", argv=("cat",)),
    Case(name="sets variables", argv=("sh", "-c", 'printf %s "$A"'), env=(("A", "it's $x\n"),), stdout=b"it's $x\n"),
    Case(
        name="sets variables beside much input",
        argv=("sh", "-c", 'cat >/dev/null; printf %s "$A"'),
        stdin=BYTES * 400,
        env=(("A", "it's $x\n"),),
        stdout=b"it's $x\n",
    ),
    Case(
        name="sets variables of any name",
        argv=("sh", "-c", "echo $m $b $x $f $n $q"),
        env=tuple((name, name.upper()) for name in "mbxfnq"),
        stdin=b"input",
        stdout=b"M B X F N Q\n",
    ),
    Case(
        name="sets variables of any name beside much input",
        argv=("sh", "-c", "cat >/dev/null; echo $m $b $x $f $n $q"),
        env=tuple((name, name.upper()) for name in "mbxfnq"),
        stdin=BYTES * 400,
        stdout=b"M B X F N Q\n",
    ),
    Case(name="forgets variables afterwards", argv=("sh", "-c", 'printf %s "$A"')),
    Case(name="reports a program that is missing", argv=("no-such-program",), stderr=NOT_FOUND, exit_status=127),
]


def scripted() -> FakeConnector:
    """Teach the fake to answer as the cases say."""
    fake = FakeConnector("127.0.0.1", default=None)

    def answer(asked: Asked) -> Result:
        case = next(case for case in CASES if (case.argv, case.stdin, case.env) == (asked.argv, asked.stdin, asked.env))
        return Result(exit_status=case.exit_status, stdout=case.stdout, stderr=case.stderr)

    for case in CASES:
        fake.on(*case.argv, answers=[answer])
    fake.on("sleep", "60", seconds=60)
    fake.on("true")
    fake.on("sh", "-c", "kill -USR1 $$", exit_status=138, stderr="User defined signal 1")
    fake.on("wc", "-c", answers=[lambda asked: Result(stdout=f"{len(asked.stdin)}\n".encode())])
    fake.on("sh", "-c", "cat >/dev/null; exit 3", exit_status=3)
    fake.on("sh", "-c", "echo one; echo two >&2; printf three", stdout="one\nthree", stderr="two\n")
    return fake


@pytest.fixture(params=["fake", "local", pytest.param("ssh", marks=pytest.mark.ssh)], scope="module")
def connector(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connector]:
    match request.param:
        case "fake":
            yield scripted()
        case "local":
            local = LocalConnector()
            yield local
            local.close()
        case _:
            directory = tmp_path_factory.mktemp("sshd")
            with sshd(directory) as server:
                ssh = _connector(server.port, server.client_key, directory)
                yield ssh
                ssh.close()


def _connector(port: int, key: Path, directory: Path) -> SshConnector:
    target = Target(address="127.0.0.1", port=port, private_key=key)
    jumps = Jumps(known_hosts=directory / "known_hosts", emit=lambda _event: None, ssh_dir=directory / "nothing")
    return SshConnector(target, jumps)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_command(connector: Connector, case: Case) -> None:
    result = connector.run(case.argv, stdin=case.stdin, env=case.env)

    assert result == Result(exit_status=case.exit_status, stdout=case.stdout, stderr=case.stderr)


def test_a_command_that_a_signal_ended_counts_as_in_a_shell(connector: Connector) -> None:
    assert connector.run(("sh", "-c", "kill -USR1 $$")).exit_status == 128 + signal.SIGUSR1


def test_lines_are_told_as_they_come_from_both_streams(connector: Connector) -> None:
    lines: list[str] = []

    result = connector.run(("sh", "-c", "echo one; echo two >&2; printf three"), on_line=lines.append)

    assert sorted(lines) == ["one", "three", "two"]
    assert result.stdout == b"one\nthree"


def test_a_command_past_its_time_is_ended_and_the_next_one_runs(connector: Connector) -> None:
    with pytest.raises(CommandError, match=r"longer than 0\.2 s") as caught:
        connector.run(("sleep", "60"), timeout=0.2)

    assert caught.value.exit_status == 124
    assert connector.run(("true",)).ok


def test_a_stream_feeds_a_command_and_tells_how_far_it_is(connector: Connector) -> None:
    told: list[int] = []

    result = connector.stream(("wc", "-c"), (b"x" * 50_000 for _ in range(40)), on_sent=told.append)

    assert result == Result(stdout=b"2000000\n")
    assert told == sorted(told)
    assert told[-1] == 2_000_000


def test_a_stream_of_nothing_is_a_stream(connector: Connector) -> None:
    assert connector.stream(("wc", "-c"), ()).text == "0"


def test_a_stream_whose_command_fails_is_an_answer(connector: Connector) -> None:
    assert connector.stream(("sh", "-c", "cat >/dev/null; exit 3"), [b"x"]).exit_status == 3


def test_every_command_is_one_round_trip(connector: Connector) -> None:
    before = connector.round_trips

    connector.run(("true",))
    connector.run(("true",))

    assert connector.round_trips == before + 2


def test_no_words_are_no_command(connector: Connector) -> None:
    with pytest.raises(HostError, match="at least one word"):
        connector.run(())


def test_the_address_names_the_machine(connector: Connector) -> None:
    assert connector.address == "127.0.0.1"


def test_a_connection_may_be_closed_twice(tmp_path: Path) -> None:
    for connector in (FakeConnector(), LocalConnector(), _connector(1, tmp_path / "key", tmp_path)):
        connector.close()
        connector.close()
