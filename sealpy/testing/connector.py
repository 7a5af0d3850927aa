"""A machine that gives scripted answers and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sealpy.errors import CommandTimeoutError, HostError, SealpyError
from sealpy.sdk import Result

__all__ = ["Asked", "FakeConnector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Hold one command that the machine was given; `stdin` is all that it was fed."""

    argv: tuple[str, ...]
    stdin: bytes = b""
    env: tuple[tuple[str, str], ...] = ()


Answer = Result | SealpyError | Callable[[Asked], Result]


@dataclass(slots=True)
class _Rule:
    words: tuple[str, ...]
    answers: list[Answer]
    seconds: float = 0.0

    def next(self) -> Answer:
        """Give the next answer; the last one is given again and again."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass(slots=True)
class FakeConnector:
    """Be a Connector without a machine.

    `on("kubeadm", "init", stdout="…")` answers every command that begins with these words; of several rules that fit,
    the one given last counts. A command that no rule fits gets `default`; give `default=None` to make it an error, so
    that a test proves that nothing else was run. `asked` holds every command in order.
    """

    address: str = "10.0.0.1"
    default: Result | None = field(default_factory=Result)
    asked: list[Asked] = field(default_factory=list)
    round_trips: int = 0
    closed: bool = False
    _rules: list[_Rule] = field(default_factory=list)

    def on(
        self,
        *words: str,
        stdout: str | bytes = "",
        stderr: str | bytes = "",
        exit_status: int = 0,
        answers: Sequence[Answer] = (),
        seconds: float = 0.0,
    ) -> FakeConnector:
        """Script an answer, or several in a row; an error among `answers` is raised, a function computes.

        `seconds` is how long the command pretends to take: longer than its timeout, and it is ended.
        """
        plain = Result(exit_status=exit_status, stdout=_bytes(stdout), stderr=_bytes(stderr))
        self._rules.append(_Rule(words, list(answers) or [plain], seconds))
        return self

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """Give the words of every command, in order."""
        return [asked.argv for asked in self.asked]

    def connect(self) -> None:
        """Do nothing: the machine is here."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Iterable[tuple[str, str]] = (),
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Result:
        """Give the scripted answer."""
        result = self._answer(Asked(argv=tuple(argv), stdin=stdin, env=tuple(env)), timeout)
        if on_line is not None:
            for stream in (result.stdout, result.stderr):
                for line in stream.decode("utf-8", "replace").splitlines():
                    on_line(line)
        return result

    def stream(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        timeout: float = 3600.0,
        on_sent: Callable[[int], None] | None = None,
    ) -> Result:
        """Take all chunks, then give the scripted answer."""
        taken = bytearray()
        for chunk in chunks:
            taken += chunk
            if on_sent is not None:
                on_sent(len(taken))
        return self._answer(Asked(argv=tuple(argv), stdin=bytes(taken)), timeout)

    @contextmanager
    def forward(self, host: str, port: int) -> Generator[tuple[str, int]]:
        """Give the address itself."""
        yield host, port

    def close(self) -> None:
        """Remember that the connection was ended."""
        self.closed = True

    def _answer(self, asked: Asked, timeout: float) -> Result:
        if not asked.argv:
            raise HostError(self.address, "cannot run this command: a command needs at least one word")
        self.round_trips += 1
        self.asked.append(asked)
        rule = next((rule for rule in reversed(self._rules) if asked.argv[: len(rule.words)] == rule.words), None)
        if rule is None:
            if self.default is None:
                raise AssertionError(f"{self.address}: no answer is scripted for {asked.argv}")
            return self.default
        if rule.seconds > timeout:
            raise CommandTimeoutError(self.address, " ".join(asked.argv), timeout=timeout, tail=())
        match rule.next():
            case Result() as result:
                return result
            case SealpyError() as error:
                raise error
            case compute:
                return compute(asked)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
