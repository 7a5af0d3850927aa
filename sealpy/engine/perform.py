"""How each kind of step is performed on a host."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from sealpy.engine.connections import Connections
from sealpy.errors import CommandError, CommandTimeoutError, InterruptedRunError, NotReadyError, TransferError
from sealpy.events import Emit, StepOutput, StepRetrying, TransferProgress
from sealpy.sdk import Ask, Call, Fetch, PlainStep, Put, Result, Run, Send, Wait

__all__ = ["Performed", "Performer"]

_PROGRESS_EVERY = 0.25  # seconds between two reports of one stream

# $1 path, $2 mode, $3 sha256; the content on standard input. Says whether anything had to be written.
_PUT = """set -eu
if [ -f "$1" ] && [ ! -L "$1" ] && [ "$(stat -c %a "$1")" = "$2" ] \\
    && printf '%s  %s\\n' "$3" "$1" | sha256sum -c --status - 2>/dev/null; then echo same; exit 0; fi
[ -d "${1%/*}/" ] || mkdir -p "${1%/*}/"
tmp="$1.sealpy-$$"
trap 'rm -f "$tmp"' EXIT
(umask 077; cat > "$tmp")
printf '%s  %s\\n' "$3" "$tmp" | sha256sum -c --status -
chmod "$2" "$tmp"
mv -f "$tmp" "$1"
trap - EXIT
echo written
"""
_SAME = """[ -f "$1" ] && [ ! -L "$1" ] && [ "$(stat -c %a "$1")" = "$2" ] \\
&& printf '%s  %s\\n' "$3" "$1" | sha256sum -c --status - 2>/dev/null"""


@dataclass(frozen=True, slots=True)
class Performed:
    """Hold a step's result, whether the host is other than before, and the payload bytes that were sent."""

    result: Result
    changed: bool = False
    sent: int = 0


class Performer:
    """Perform one step at a time on one host; knows no phases but their names for the events."""

    def __init__(self, connections: Connections, *, emit: Emit) -> None:
        self._connections = connections
        self._emit = emit

    def perform(self, phase: str, host: str, step: PlainStep) -> Performed:  # noqa: PLR0911 - one return for each kind
        """Perform the step; raises CommandError, TransferError, NotReadyError or what a `Call` raises."""
        match step:
            case Ask():
                return Performed(self._command(host, step))
            case Fetch(path=path):
                with self._connections.use(host) as connector:
                    return Performed(connector.run(["cat", "--", path]))
            case Wait():
                return Performed(self._wait(phase, host, step))
            case Run():
                return self._run(phase, host, step)
            case Put():
                return self._put(host, step)
            case Send():
                return self._send(host, step)
            case Call(function=function):
                return Performed(Result(value=function()), changed=True)
            case _:
                assert_never(step)

    def look_once(self, host: str, step: Wait) -> Performed:
        """Look whether it is so already, without waiting."""
        reason = self._look(host, step)
        return Performed(Result(sample=bool(reason)))

    def is_there(self, host: str, step: Put) -> bool:
        """Tell whether the host has the file already, with this content and mode."""
        with self._connections.use(host) as connector:
            return connector.run(["sh", "-c", _SAME, "sh", *_put_words(step)]).ok

    def _command(self, host: str, step: Ask | Run, on_line: Callable[[str], None] | None = None) -> Result:
        with self._connections.use(host) as connector:
            try:
                return connector.run(step.argv, stdin=step.stdin, env=step.env, timeout=step.timeout, on_line=on_line)
            except CommandTimeoutError as error:  # the words of a script, or of a sensitive step, tell nobody anything
                tail = () if step.sensitive else error.tail
                raise CommandTimeoutError(host, step.title, timeout=step.timeout, tail=tail, hint=error.hint) from error

    def _run(self, phase: str, host: str, step: Run) -> Performed:
        def show(line: str) -> None:
            self._emit(StepOutput(host=host, phase=phase, title=step.title, line=line, live=step.live))

        result = self._command(host, step, None if step.sensitive else show)
        if step.check and not result.ok:
            raise _failed(host, step.title, result, sensitive=step.sensitive)
        return Performed(result, changed=True)

    def _put(self, host: str, step: Put) -> Performed:
        with self._connections.use(host) as connector:
            result = connector.run(["sh", "-c", _PUT, "sh", *_put_words(step)], stdin=step.content)
        if not result.ok:
            raise _failed(host, step.title, result, sensitive=step.sensitive)
        written = result.text == "written"
        return Performed(result, changed=written, sent=len(step.content) if written else 0)

    def _send(self, host: str, step: Send) -> Performed:
        begun = time.monotonic()
        total = step.payload.size
        shown = 0.0

        def report(sent: int) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown >= _PROGRESS_EVERY or sent >= total:
                shown = now
                self._emit(TransferProgress(host=host, title=step.title, sent=sent, total=total, seconds=now - begun))

        with self._connections.use(host) as connector:
            result = connector.stream(step.argv, step.payload.chunks(), timeout=step.timeout, on_sent=report)
        if not result.ok:
            raise TransferError(
                host,
                f"{step.title!r} failed: {result.reason}",
                hint="run the command again: only what is missing is sent",
            )
        return Performed(result, changed=True, sent=total)

    def _look(self, host: str, step: Wait) -> str:
        """Give "" when it is so, else the reason why not."""
        if step.probe is not None:
            return step.probe()
        with self._connections.use(host) as connector:
            result = connector.run(step.argv, timeout=min(60.0, step.timeout))
        return "" if result.ok else result.reason

    def _wait(self, phase: str, host: str, step: Wait) -> Result:
        begun = time.monotonic()
        told = ""
        while reason := self._look(host, step):
            waited = time.monotonic() - begun
            if waited >= step.timeout:
                raise NotReadyError(step.title, waited=waited, last_seen=reason)
            if reason != told:
                self._emit(StepRetrying(host=host, phase=phase, title=step.title, reason=reason, waited=waited))
                told = reason
            if self._connections.interruption.wait(step.pause):
                said = f"stopped while waiting: {step.title}; last seen: {reason}"
                raise InterruptedRunError(said, hint="run the same command again")
        return Result()


def _put_words(step: Put) -> tuple[str, str, str]:
    return step.path, f"{step.mode:o}", hashlib.sha256(step.content).hexdigest()


def _failed(host: str, title: str, result: Result, *, sensitive: bool) -> CommandError:
    text = b"\n".join(stream.strip() for stream in (result.stdout, result.stderr) if stream.strip())
    tail = ["(output withheld: it may hold secrets)"] if sensitive else text.decode("utf-8", "replace").splitlines()
    return CommandError(host, title, exit_status=result.exit_status, tail=tail)
