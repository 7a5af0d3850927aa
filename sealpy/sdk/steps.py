"""The closed set of steps that phases and plugins yield, and the Result that comes back.

Reading steps: `Ask` (by command), `Fetch` (a file), `Wait` (until true). Changing steps: `Run` (by command), `Put` (one
file), `Send` (many files, one stream), `Call` (by a function here). A rehearsal performs the reading ones and records
the changing ones. `On` addresses a step to another host of the operation. Steps are data; the engine performs them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = [
    "Ask",
    "Call",
    "Fetch",
    "On",
    "Payload",
    "PlainStep",
    "Put",
    "Result",
    "Run",
    "Send",
    "Step",
    "StepFailedError",
    "Steps",
    "Wait",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Hold what a step gave back; `sample` tells that a rehearsal made it up."""

    exit_status: int = 0
    stdout: bytes = b""
    stderr: bytes = b""
    value: object = None  # what the function of a `Call` returned
    sample: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether the command ended with exit status 0."""
        return self.exit_status == 0

    @property
    def text(self) -> str:
        """Give the standard output as text, without the blanks around it."""
        return self.stdout.decode("utf-8", "replace").strip()

    @property
    def lines(self) -> tuple[str, ...]:
        """Give the lines of the standard output."""
        return tuple(self.text.splitlines())

    @property
    def reason(self) -> str:
        """Give the last line the command left on standard error, or else on standard output."""
        for stream in (self.stderr, self.stdout):
            if lines := stream.decode("utf-8", "replace").strip().splitlines():
                return lines[-1]
        return f"exit status {self.exit_status}"


class StepFailedError(Exception):
    """Tell the generator that its step failed; `result` is there when a command had been run."""

    def __init__(self, message: str, *, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True, slots=True, init=False)
class _Command:
    title: str
    argv: tuple[str, ...]
    stdin: bytes
    env: tuple[tuple[str, str], ...]
    timeout: float
    sensitive: bool

    def __init__(
        self,
        title: str,
        *argv: str,
        stdin: bytes = b"",
        env: Iterable[tuple[str, str]] = (),
        timeout: float = 60.0,
        sensitive: bool = False,
    ) -> None:
        if not argv:
            raise ValueError(f"step {title!r} has no command")
        for name, value in (
            ("title", title),
            ("argv", argv),
            ("stdin", stdin),
            ("env", tuple(env)),
            ("timeout", timeout),
            ("sensitive", sensitive),
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, init=False)
class Ask(_Command):
    """Read by a command; a failing one is an answer, not an error.

    `timeout` is in seconds. `sensitive` output is neither logged nor shown. `env` is set for this command alone.
    """


@dataclass(frozen=True, slots=True, init=False)
class Run(_Command):
    """Change by a command; raises where it is yielded when the exit status is not 0, unless `check` is false.

    `sample` is the standard output that a rehearsal pretends. `live` shows each line while the command runs.
    """

    sample: bytes
    check: bool
    live: bool

    def __init__(
        self,
        title: str,
        *argv: str,
        stdin: bytes = b"",
        env: Iterable[tuple[str, str]] = (),
        timeout: float = 600.0,
        sensitive: bool = False,
        sample: bytes = b"",
        check: bool = True,
        live: bool = False,
    ) -> None:
        _Command.__init__(self, title, *argv, stdin=stdin, env=env, timeout=timeout, sensitive=sensitive)
        for name, value in (("sample", sample), ("check", check), ("live", live)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read a file of the host into `Result.stdout`; a missing one is a result that is not ok."""

    title: str
    path: str
    sensitive: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True, init=False)
class Wait:
    """Ask again and again until the command ends with 0; after `timeout` seconds raise with the last-seen reason."""

    title: str
    argv: tuple[str, ...]
    probe: Callable[[], str] | None
    timeout: float
    pause: float

    def __init__(
        self,
        title: str,
        *argv: str,
        probe: Callable[[], str] | None = None,
        timeout: float = 300.0,
        pause: float = 1.0,
    ) -> None:
        """Take a command, or a `probe`: a function here that returns "" when it is so, else the reason why not."""
        if bool(argv) == bool(probe):
            raise ValueError(f"step {title!r} needs either a command or a probe")
        for name, value in (("title", title), ("argv", argv), ("probe", probe), ("timeout", timeout), ("pause", pause)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Put:
    """Write one file to the host: under a temporary name, verified, renamed; parents are made."""

    title: str
    path: str
    content: bytes = field(repr=False)
    mode: int = field(default=0o644, kw_only=True)
    sensitive: bool = field(default=False, kw_only=True)


class Payload(Protocol):
    """Be many bytes on their way to one host."""

    @property
    def size(self) -> int:
        """Give the number of bytes that `chunks` yields."""
        ...

    def chunks(self) -> Iterable[bytes]:
        """Yield the bytes, in pieces of at most 64 KiB; may be called again for another try."""
        ...


@dataclass(frozen=True, slots=True, init=False)
class Send:
    """Feed a payload to a command on the host, as one stream with progress."""

    title: str
    argv: tuple[str, ...]
    payload: Payload
    timeout: float

    def __init__(self, title: str, *argv: str, payload: Payload, timeout: float = 3600.0) -> None:
        for name, value in (("title", title), ("argv", argv), ("payload", payload), ("timeout", timeout)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Call:
    """Change something by a function here, such as an API patch; what it returns is `Result.value`."""

    title: str
    function: Callable[[], object]
    sample: object = field(default=None, kw_only=True)


PlainStep = Ask | Run | Fetch | Wait | Put | Send | Call


@dataclass(frozen=True, slots=True)
class On:
    """Perform a step on another host of the operation, named by its address."""

    address: str
    step: PlainStep


Step = PlainStep | On
Steps = Generator[Step, Result, Any]  # what a generator returns is its own affair
