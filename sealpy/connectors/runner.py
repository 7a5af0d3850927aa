"""All that connectors have in common: commands on a resident shell, streams on programs of their own."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable, Generator, Iterable, Sequence

from sealpy.connectors.pipe import OpenPipe, PipeClosedError
from sealpy.connectors.shell import SMALL, Command, OverdueError, ResidentShell
from sealpy.connectors.stream import PROGRAM, Fed, StalledError, feed
from sealpy.connectors.sudo import Started, Sudo, SudoRefusedError, start
from sealpy.errors import AuthError, CommandError, CommandTimeoutError, ConnectError, HostError, TransferError
from sealpy.sdk import Result

__all__ = ["Aside", "Runner"]

Aside = Callable[[], contextlib.AbstractContextManager[OpenPipe]]

_START = 30.0  # seconds a login shell and sudo may take: PAM waits some seconds after a wrong password


class Runner:
    """Perform commands and streams with programs that `open_pipe` starts; turns what goes wrong into HostErrors."""

    def __init__(
        self, address: str, open_pipe: OpenPipe, *, sudo: Sudo | None = None, aside: Aside | None = None
    ) -> None:
        """Take what starts programs, and `aside`, which lends another way in when this one is taken by a stream."""
        self._address = address
        self._open_pipe = open_pipe
        self._aside = aside
        self._sudo = sudo
        self._shell: ResidentShell | None = None
        self.round_trips = 0

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes,
        env: Iterable[tuple[str, str]],
        timeout: float,
        on_line: Callable[[str], None] | None,
    ) -> Result:
        """Run a command on the resident shell, or on a stream of its own when it brings much input."""
        command = self._command(argv, stdin=stdin, env=env)
        if len(stdin) > SMALL:
            result = self._feed(command, (stdin,), timeout=timeout).result
            _tell(result, on_line)
            return result
        self.round_trips += 1
        shell = self.shell()
        try:
            return shell.run(command, timeout=timeout, on_line=on_line)
        except OverdueError as overdue:
            self.drop()
            raise self._overdue(command, timeout, overdue.result) from None
        except PipeClosedError:
            alive = shell.alive
            self.drop()
            raise self._lost(command, alive=alive) from None
        except BaseException:  # such as Ctrl-C: the shell still speaks of this command, so nobody may use it again
            self.drop()
            raise

    def stream(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        timeout: float,
        on_sent: Callable[[int], None] | None,
    ) -> Result:
        """Feed chunks to a command; raises TransferError when it is content before it has taken them all."""
        command = self._command(argv)
        fed = self._feed(command, chunks, timeout=timeout, on_sent=on_sent)
        if fed.result.ok and not fed.complete:
            raise TransferError(
                self._address,
                f"{_title(command)!r} ended after {fed.sent} bytes, before its input did",
                hint="run the command again: only what is missing is sent",
            )
        return fed.result

    def shell(self) -> ResidentShell:
        """Give the resident shell, begun anew when there is none or it has gone meanwhile."""
        if self._shell is not None and not self._shell.usable():
            self.drop()
        if self._shell is None:
            with self._refusals():
                started = start(self._open_pipe, "exec /bin/sh", sudo=self._sudo, timeout=_START)
            try:
                self._shell = ResidentShell(started.pipe, timeout=_START)
            except (PipeClosedError, TimeoutError):
                started.pipe.close()
                raise ConnectError(self._address, "the shell of the host takes no commands") from None
        return self._shell

    def drop(self) -> None:
        """End the resident shell; the next command begins another."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.close()

    def _command(self, argv: Sequence[str], *, stdin: bytes = b"", env: Iterable[tuple[str, str]] = ()) -> Command:
        try:
            return Command(argv=tuple(argv), stdin=stdin, env=tuple(env))
        except ValueError as error:
            raise HostError(self._address, f"cannot run this command: {error}") from None

    def _feed(
        self,
        command: Command,
        chunks: Iterable[bytes],
        *,
        timeout: float,
        on_sent: Callable[[int], None] | None = None,
    ) -> Fed:
        self.round_trips += 1
        with self._program(command) as program:
            deadline = time.monotonic() + timeout
            try:
                return feed(
                    program.pipe,
                    chunks,
                    exports=command.exports,
                    heard=program.rest,
                    deadline=deadline,
                    on_sent=on_sent,
                )
            except StalledError as stalled:
                self._end(program)
                raise self._overdue(command, timeout, stalled.result) from None
            except PipeClosedError:
                raise self._lost(command, alive=program.pipe.alive) from None
            except BaseException:  # the source of the bytes failed, or Ctrl-C: half an input must not look like a whole
                self._end(program)
                raise

    @contextlib.contextmanager
    def _program(self, command: Command) -> Generator[Started]:
        with self._refusals():
            program = start(self._open_pipe, PROGRAM, *command.argv, sudo=self._sudo, timeout=_START)
        try:
            yield program
        finally:
            program.pipe.close()

    def end(self, pid: int) -> None:
        """End the program whose shell is `pid` on the host, and wait until it has ended."""
        shell = self.shell()
        shell.end(pid)
        shell.run(Command(argv=("true",)), timeout=_START)

    def _end(self, program: Started) -> None:
        """End a program on the host; when even that fails the machine is out of reach, and its input with it."""
        try:
            self.end(program.pid)
        except (PipeClosedError, TimeoutError, OverdueError, HostError):
            self.drop()
            if self._aside is not None:
                with contextlib.suppress(PipeClosedError, TimeoutError, OverdueError, HostError), self._aside() as way:
                    Runner(self._address, way, sudo=self._sudo).end(program.pid)

    @contextlib.contextmanager
    def _refusals(self) -> Generator[None]:
        try:
            yield
        except SudoRefusedError as refused:
            if self._sudo is None:
                raise ConnectError(
                    self._address, f"the login gives no shell: {refused.reason}", hint=refused.hint
                ) from None
            raise AuthError(self._address, f"sudo refused: {refused.reason}", hint=refused.hint) from None
        except (PipeClosedError, TimeoutError):
            raise ConnectError(self._address, "connection lost while a shell was started") from None

    def _overdue(self, command: Command, timeout: float, result: Result) -> CommandError:
        text = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace").strip()
        return CommandTimeoutError(
            self._address, _title(command), timeout=timeout, tail=[line for line in text.splitlines() if line]
        )

    def _lost(self, command: Command, *, alive: bool) -> HostError:
        if alive:
            return HostError(
                self._address,
                f"the shell ended while {_title(command)!r} ran, so its outcome is unknown",
                hint="look whether the command, or the kernel for want of memory, kills its parent",
            )
        return ConnectError(
            self._address,
            f"connection lost while {_title(command)!r} ran, so its outcome is unknown",
            hint="run the same command again: what is done already is not done twice",
        )


def _title(command: Command) -> str:
    words = shlex.join(command.argv).splitlines()[0]
    return words if len(words) <= 60 else words[:57] + "..."  # noqa: PLR2004 - what fits in a message


def _tell(result: Result, on_line: Callable[[str], None] | None) -> None:
    if on_line is not None:
        for stream in (result.stdout, result.stderr):
            for line in stream.decode("utf-8", "replace").splitlines():
                on_line(line)
