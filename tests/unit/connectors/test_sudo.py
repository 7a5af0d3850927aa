"""The greeting of a program, and when sudo gets its password: a machine that plays its part, no sudo needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from sealpy.connectors.pipe import PipeClosedError, Source
from sealpy.connectors.secret import Secret
from sealpy.connectors.sudo import Sudo, SudoRefusedError, start

WITH_PASSWORD = Sudo(Secret("hunter2"))


@dataclass
class FakePipe:
    """Play a machine: what it says, in order; it ends when it has said all."""

    said: list[tuple[Source, bytes] | None]
    heard: bytearray = field(default_factory=bytearray)
    closed: bool = False
    piece: int = 1024
    alive: bool = True

    def read(self, *, timeout: float) -> tuple[Source, bytes] | None:
        assert timeout > 0
        if not self.said:
            raise PipeClosedError
        return self.said.pop(0)

    def write(self, data: bytes | memoryview, *, timeout: float) -> int:
        assert timeout > 0
        self.heard += data[:3]  # a pipe may take less than it is given
        return len(data[:3])

    def end_input(self) -> None: ...

    def exit_status(self, *, timeout: float) -> int | None:
        return 0 if timeout else None

    def close(self) -> None:
        self.closed = True


@dataclass
class Machine:
    """Start one program; `script` makes what it says of its token and of the prompt that sudo was given."""

    script: Callable[[bytes, bytes], list[tuple[Source, bytes] | None]]
    argv: tuple[str, ...] = ()
    pipe: FakePipe = field(default_factory=lambda: FakePipe([]))

    def open(self, argv: Sequence[str]) -> FakePipe:
        self.argv = tuple(argv)
        token = re.search(r"[0-9a-f]{32}", argv[argv.index("-c") + 1])
        assert token
        prompt = argv[argv.index("-p") + 1] if "-p" in argv else ""
        self.pipe.said = self.script(token[0].encode(), prompt.encode())
        return self.pipe


def out(*parts: bytes) -> tuple[Source, bytes]:
    return Source.STDOUT, b"".join(parts)


def err(*parts: bytes) -> tuple[Source, bytes]:
    return Source.STDERR, b"".join(parts)


def test_what_comes_before_the_greeting_is_dropped_and_what_comes_behind_is_kept() -> None:
    machine = Machine(lambda token, _: [err(b"careful\n"), out(b"welcome\n", token, b" 12"), out(b"34\nfirst bytes")])

    started = start(machine.open, "exec /bin/sh", sudo=None, timeout=60)

    assert (started.pid, started.rest) == (1234, b"first bytes")
    assert machine.argv[:2] == ("/bin/sh", "-c")


def test_the_password_is_given_when_it_is_asked_for() -> None:
    machine = Machine(lambda token, prompt: [err(b"the usual lecture\n", prompt), out(token, b" 1\n")])

    start(machine.open, "exec /bin/sh", sudo=WITH_PASSWORD, timeout=60)

    assert machine.pipe.heard == b"hunter2\n"
    assert machine.argv[:3] == ("sudo", "-S", "-H")
    assert "hunter2" not in " ".join(machine.argv)


def test_the_password_is_not_given_when_nobody_asks() -> None:
    machine = Machine(lambda token, _: [out(token, b" 1\n")])

    start(machine.open, "exec /bin/sh", sudo=WITH_PASSWORD, timeout=60)

    assert machine.pipe.heard == b""


def test_a_password_is_given_once() -> None:
    machine = Machine(lambda _, prompt: [err(prompt), err(b"Sorry, try again.\n", prompt)])

    with pytest.raises(SudoRefusedError, match="the password is wrong"):
        start(machine.open, "exec /bin/sh", sudo=WITH_PASSWORD, timeout=60)

    assert machine.pipe.heard == b"hunter2\n"
    assert machine.pipe.closed


@pytest.mark.parametrize(
    ("sudo", "said", "reason", "hint"),
    [
        (Sudo(), b"sudo: a password is required\n", "a password is required", "NOPASSWD"),
        (Sudo(), b"sh: 1: exec: sudo: not found\n", "sudo: not found", "install sudo"),
        (Sudo(), b"sudo: sorry, you must have a tty to run sudo\n", "must have a tty", "requiretty"),
        (WITH_PASSWORD, b"admin is not in the sudoers file.\n", "not in the sudoers file", "/etc/sudoers"),
        (None, b"This account is currently not available.\n", "not available", "POSIX shell"),
        (None, b"", "nothing", "POSIX shell"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_machine_with_a_way_out(
    sudo: Sudo | None, said: bytes, reason: str, hint: str
) -> None:
    machine = Machine(lambda _token, _prompt: [err(said)])

    with pytest.raises(SudoRefusedError, match=reason) as caught:
        start(machine.open, "exec /bin/sh", sudo=sudo, timeout=60)

    assert hint in caught.value.hint
    assert machine.pipe.closed


def test_silence_is_told_with_what_was_seen_last() -> None:
    machine = Machine(lambda _token, _prompt: [out(b"one moment\n"), None])

    with pytest.raises(SudoRefusedError, match="no answer in time; last seen: one moment"):
        start(machine.open, "exec /bin/sh", sudo=None, timeout=60)


def test_a_connection_that_is_lost_meanwhile_is_no_refusal() -> None:
    machine = Machine(lambda _token, _prompt: [out(b"welcome\n")], pipe=FakePipe([], alive=False))
    with pytest.raises(PipeClosedError):
        start(machine.open, "exec /bin/sh", sudo=None, timeout=60)
    assert machine.pipe.closed
