"""Start a program on a machine, as root where the login is another user's.

The program is started by a small shell that first says who it is: `<token> <pid>`. What comes before that line, as the
text of a login script does, is not the program's. The same line tells that sudo has let us in, so a password is sent
when sudo asks for it and never else: a shell that did not ask would run it as a command.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sealpy.connectors.pipe import OpenPipe, Pipe, PipeClosedError, Source
from sealpy.connectors.secret import Secret

__all__ = ["Started", "Sudo", "SudoRefusedError", "send_all", "start"]


class SudoRefusedError(Exception):
    """Tell that the program was not started, in the words of sudo or of the login shell; stays inside this package."""

    def __init__(self, reason: str, *, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Sudo:
    """Become root by sudo; the password travels on standard input, never in argv or the environment."""

    password: Secret | None = None

    def words(self, prompt: str) -> tuple[str, ...]:
        """Give the words that stand before a command."""
        if self.password:
            return ("sudo", "-S", "-H", "-p", prompt, "--")
        return ("sudo", "-n", "-H", "--")


@dataclass(frozen=True, slots=True)
class Started:
    """Hold a program that runs; `pid` is its shell, `rest` what came on standard output right behind the greeting."""

    pipe: Pipe
    pid: int
    rest: bytes


@dataclass(slots=True)
class _Greeting:
    """Read the streams until the program has said who it is."""

    token: bytes
    prompt: bytes
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    prompts: int = 0

    def take(self, source: Source, data: bytes) -> None:
        """Keep what came; count how often sudo has asked for the password."""
        if source is Source.STDOUT:
            self.stdout += data
        else:
            self.stderr += data
            self.prompts = self.stderr.count(self.prompt)

    def answer(self) -> tuple[int, bytes] | None:
        """Give the pid and what follows, once the greeting is whole."""
        found = re.search(re.escape(self.token) + rb" (\d+)\n", self.stdout)
        return (int(found[1]), bytes(self.stdout[found.end() :])) if found else None

    def seen(self) -> str:
        """Give the last line the machine said, without our own prompt."""
        text = (bytes(self.stdout) + b"\n" + bytes(self.stderr).replace(self.prompt, b"\n")).decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1].removeprefix("sudo: ") if lines else "nothing"


def start(open_pipe: OpenPipe, script: str, *words: str, sudo: Sudo | None, timeout: float) -> Started:
    """Start `/bin/sh -c script sh words…` and wait until it runs; raises SudoRefusedError, PipeClosedError."""
    token, prompt = secrets.token_hex(16), secrets.token_hex(16)
    greet = f'printf "%s %s\\n" {token} "$$"; {script}'
    argv: Sequence[str] = ("/bin/sh", "-c", greet, "sh", *words)
    pipe = open_pipe((*sudo.words(prompt), *argv) if sudo else argv)
    greeting = _Greeting(token=token.encode(), prompt=prompt.encode())
    try:
        pid, rest = _greet(pipe, greeting, sudo=sudo, deadline=time.monotonic() + timeout)
    except BaseException:
        pipe.close()
        raise
    return Started(pipe, pid, rest)


def _greet(pipe: Pipe, greeting: _Greeting, *, sudo: Sudo | None, deadline: float) -> tuple[int, bytes]:
    asked = 0
    while (answer := greeting.answer()) is None:
        try:
            got = pipe.read(timeout=deadline - time.monotonic())
        except PipeClosedError:
            if not pipe.alive:  # not the program has gone, but the way to it
                raise
            raise _refusal(greeting.seen(), sudo) from None
        if got is None:
            raise _refusal(f"no answer in time; last seen: {greeting.seen()}", sudo)
        greeting.take(*got)
        if greeting.prompts > asked:
            asked += 1
            if asked > 1 or not sudo or not sudo.password:
                raise SudoRefusedError("the password is wrong", hint="give the right sudo password for this host")
            send_all(pipe, sudo.password.reveal().encode() + b"\n", deadline=deadline)
    return answer


def _refusal(reason: str, sudo: Sudo | None) -> SudoRefusedError:
    if sudo is None:
        return SudoRefusedError(reason, hint="the login must give a POSIX shell: try `ssh HOST true` by hand")
    if "not found" in reason:
        return SudoRefusedError(reason, hint="install sudo on the host, or log in as root")
    if "tty" in reason:
        return SudoRefusedError(reason, hint="remove `requiretty` from /etc/sudoers on the host, or log in as root")
    if sudo.password is None:
        return SudoRefusedError(
            reason,
            hint="give the sudo password of this user, or allow it `NOPASSWD: ALL` in /etc/sudoers, or log in as root",
        )
    return SudoRefusedError(reason, hint="allow this user `ALL` in /etc/sudoers on the host, or log in as root")


def send_all(pipe: Pipe, data: bytes, *, deadline: float) -> None:
    """Write all of `data`; raises PipeClosedError, TimeoutError at `deadline` (monotonic seconds)."""
    view = memoryview(data)
    while view:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        view = view[pipe.write(view, timeout=left) :]
