"""A program that is fed many bytes, on a pipe of its own."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sealpy.connectors.pipe import Pipe, PipeClosedError, Source
from sealpy.connectors.shell import PATH
from sealpy.sdk import Result

__all__ = ["PROGRAM", "Fed", "StalledError", "feed"]

_PULSE = 1.0  # seconds at most until the program's answers are looked at while it takes no input
_FIRST_PULSE = 0.005  # likewise at first: it may take no more until what it has said is heard
_LOOK_EVERY = 1 << 19  # bytes; a look costs as much as a tenth of a packet
_STATUS = 10.0  # seconds a program may take to end after its last stream has ended

# The first line of the input holds the variables (base64, or nothing): their values are seen in no list of processes.
# Without that line the input was given up before it began, and nothing is run.
PROGRAM = (
    "IFS= read -r __x || exit 125; "
    f"PATH={PATH}; export PATH; "
    'eval "$(printf %s "$__x" | base64 -d)"; unset __x; '
    'setsid "$@"; exit $?'
)


@dataclass(frozen=True, slots=True)
class Fed:
    """Hold how a fed program ended, and whether it took all of its input."""

    result: Result
    sent: int
    complete: bool


class StalledError(Exception):
    """Tell that the deadline passed; `result` is what the program had said until then, `sent` what it had taken."""

    def __init__(self, result: Result, sent: int) -> None:
        super().__init__()
        self.result = result
        self.sent = sent


@dataclass(slots=True)
class _Feeder:
    pipe: Pipe
    deadline: float
    heard: dict[Source, bytearray]
    sent: int = 0
    over: bool = field(default=False, init=False)
    look_at: int = field(default=0, init=False)  # bytes after which the program is heard again

    def listen(self, wait: float) -> bool:
        """Take what the program says within `wait` seconds; tells whether there was something."""
        try:
            got = self.pipe.read(timeout=wait)
        except PipeClosedError:
            self.over = True
            return False
        if got is None:
            return False
        source, data = got
        self.heard[source] += data
        return True

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it, hearing the program meanwhile so that neither side waits for the other for ever."""
        view = memoryview(data)
        pulse = _FIRST_PULSE
        while view and not self.over:
            written = self.pipe.write(view, timeout=min(pulse, self.left()))
            view = view[written:]
            self.sent += written
            heard = False
            if not written or self.sent >= self.look_at:
                self.look_at = self.sent + _LOOK_EVERY
                while self.listen(0):
                    heard = True
            pulse = _FIRST_PULSE if written or heard else min(2 * pulse, _PULSE)

    def left(self) -> float:
        """Give the seconds until the deadline; raises StalledError behind it."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise StalledError(self.result(124), self.sent)
        return left

    def result(self, status: int) -> Result:
        """Make the Result of what was heard."""
        return Result(
            exit_status=status, stdout=bytes(self.heard[Source.STDOUT]), stderr=bytes(self.heard[Source.STDERR])
        )


def feed(
    pipe: Pipe,
    chunks: Iterable[bytes],
    *,
    exports: str = "",
    heard: bytes = b"",
    deadline: float,
    on_sent: Callable[[int], None] | None = None,
) -> Fed:
    """Feed `chunks` to a program begun with PROGRAM and wait for its end.

    `exports` is a line of shell that sets its variables, `heard` what it has said already. `on_sent` receives the
    number of bytes sent so far after each piece. That a program ends before its input does is no error here: see
    `Fed.complete`.
    Raises StalledError at `deadline` (monotonic seconds), PipeClosedError when the program is lost without a status.
    """
    feeder = _Feeder(pipe, deadline, {Source.STDOUT: bytearray(heard), Source.STDERR: bytearray()})
    complete = _pour(feeder, chunks, base64.b64encode(exports.encode("utf-8", "surrogateescape")) + b"\n", on_sent)
    while not feeder.over:
        feeder.listen(feeder.left())
    status = pipe.exit_status(timeout=_STATUS)
    if status is None:
        raise PipeClosedError
    return Fed(feeder.result(status), feeder.sent, complete)


def _pour(feeder: _Feeder, chunks: Iterable[bytes], preamble: bytes, on_sent: Callable[[int], None] | None) -> bool:
    """Write everything; tells whether the program took it all."""
    try:
        feeder.write(preamble)
        feeder.sent = 0
        for piece in _pieces(chunks, feeder.pipe.piece):
            feeder.write(piece)
            if feeder.over:
                return False
            if on_sent is not None:
                on_sent(feeder.sent)
        feeder.pipe.end_input()
    except PipeClosedError:
        return False
    return True


def _pieces(chunks: Iterable[bytes], size: int) -> Iterator[memoryview]:
    """Cut chunks of any sizes into pieces of one size; the last one may be smaller.

    A piece is there until the next one is asked for.
    """
    buffer = memoryview(bytearray(size))
    filled = 0
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            taken = view[: size - filled]
            buffer[filled : filled + len(taken)] = taken
            filled += len(taken)
            view = view[len(taken) :]
            if filled == size:
                yield buffer
                filled = 0
    if filled:
        yield buffer[:filled]
