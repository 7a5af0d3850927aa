from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sealpy.connectors.pipe import PipeClosedError, Source
from sealpy.connectors.stream import StalledError, feed


@dataclass
class Program:
    """Play a program: it takes `takes` bytes, answers when its input has ended, and ends."""

    takes: int = 10**9
    says: list[tuple[Source, bytes]] = field(default_factory=list)
    status: int | None = 0
    piece: int = 1000
    alive: bool = True
    pieces: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def heard(self) -> bytes:
        return b"".join(self.pieces)

    def write(self, data: bytes | memoryview, *, timeout: float) -> int:
        assert timeout > 0
        if len(self.heard) >= self.takes:
            self.ended = True
            raise PipeClosedError
        self.pieces.append(bytes(data))
        return len(data)

    def read(self, *, timeout: float) -> tuple[Source, bytes] | None:
        assert timeout >= 0
        if not self.ended:
            return None
        if not self.says:
            raise PipeClosedError
        return self.says.pop(0)

    def end_input(self) -> None:
        self.ended = True

    def exit_status(self, *, timeout: float) -> int | None:
        assert timeout > 0
        return self.status

    def close(self) -> None: ...


def soon() -> float:
    return time.monotonic() + 60


def test_it_feeds_variables_first_then_all_bytes_and_hears_the_answer() -> None:
    program = Program(says=[(Source.STDOUT, b"done"), (Source.STDERR, b"hm")], status=3)

    fed = feed(program, [b"ab", b"c"], exports="export A='1'; ", heard=b"well ", deadline=soon())

    assert program.heard == base64.b64encode(b"export A='1'; ") + b"\nabc"
    assert (fed.result.stdout, fed.result.stderr, fed.result.exit_status) == (b"well done", b"hm", 3)
    assert fed.complete
    assert fed.sent == 3


@pytest.mark.parametrize("sizes", [[2500, 10, 490, 1], [1] * 2000, [1000, 1000], [0, 5, 0], []], ids=str)
def test_pieces_fill_the_packets_whatever_the_chunks(sizes: list[int]) -> None:
    program = Program()
    data = bytes(range(251)) * 20
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size

    feed(program, chunks, deadline=soon())

    assert b"".join(program.pieces[1:]) == data[: sum(sizes)]
    assert all(len(piece) == program.piece for piece in program.pieces[1:-1])


def test_progress_counts_the_payload_alone() -> None:
    told: list[int] = []

    feed(Program(), [b"x" * 2500], exports="export A='1'; ", deadline=soon(), on_sent=told.append)

    assert told == [1000, 2000, 2500]


def test_a_program_that_ends_early_is_heard_and_gets_no_more() -> None:
    program = Program(takes=3000, says=[(Source.STDERR, b"no space")], status=1)

    fed = feed(program, (b"x" * 1000 for _ in range(100)), deadline=soon())

    assert not fed.complete
    assert (fed.result.stderr, fed.result.exit_status) == (b"no space", 1)
    assert fed.sent < 5000


def test_a_program_that_takes_more_only_when_it_was_heard_is_heard_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program()
    waited: list[float] = []
    unheard = 0

    def write(data: bytes | memoryview, *, timeout: float) -> int:
        nonlocal unheard
        if unheard:
            waited.append(timeout)
            return 0
        unheard = len(data)
        program.pieces.append(bytes(data))
        return len(data)

    def read(*, timeout: float) -> tuple[Source, bytes] | None:
        nonlocal unheard
        if program.ended:
            return Program.read(program, timeout=timeout)
        said, unheard = b"x" * unheard, 0
        return (Source.STDOUT, said) if said else None

    monkeypatch.setattr(program, "write", write)
    monkeypatch.setattr(program, "read", read)

    assert len(feed(program, [b"x" * 20_000], deadline=soon()).result.stdout) > 19_000
    assert len(waited) > 15
    assert sum(waited) < 1


def test_a_program_that_takes_nothing_is_given_up_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program()
    now = iter(range(1000))
    monkeypatch.setattr("sealpy.connectors.stream.time.monotonic", lambda: next(now))
    stuck: Callable[..., int] = lambda _data, *, timeout: 0  # noqa: ARG005, E731 - plays `write`
    monkeypatch.setattr(program, "write", stuck)

    with pytest.raises(StalledError) as caught:
        feed(program, [b"x"], deadline=10)

    assert caught.value.sent == 0


def test_a_program_that_is_lost_without_a_status_is_no_result() -> None:
    with pytest.raises(PipeClosedError):
        feed(Program(status=None), [b"x"], deadline=soon())
