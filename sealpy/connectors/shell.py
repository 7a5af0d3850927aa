r"""One resident POSIX shell, fed command by command.

Each command is one short script. The shell performs it in a subshell of its own, in the background, so that it always
answers and can end a command that is past its time, also on servers that allow one session only. Before and after a
command the subshell writes a random mark to both streams: what stands between the marks is the command's, byte for
byte. A command reads `/dev/null` or the bytes that came along in the script (base64), so it cannot eat the script; it
runs in a session of its own, so `exit`, `cd` and signals stay inside, and all that it started can be found and ended.
As in every background job of a shell without a terminal, SIGINT and SIGQUIT are ignored in commands; nobody sends them.
"""

from __future__ import annotations

import base64
import re
import secrets
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sealpy.connectors.pipe import Pipe, PipeClosedError, Source
from sealpy.connectors.sudo import send_all
from sealpy.sdk import Result

__all__ = ["PATH", "SMALL", "Command", "OverdueError", "ResidentShell"]

PATH = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
SMALL = 48 * 1024  # bytes of standard input that travel inside a script; more gets a stream of its own
GRACE = 3.0  # seconds between SIGTERM and SIGKILL
PATIENCE = 10.0  # seconds a shell has to report the end of a command it was told to end

# r MARK WORD…     run a command without input
# i MARK B64 WORD… run a command whose input is base64
# p FIELD VALUE    list live processes by parent (ppid) or session (sid)
# e PID            end the session that the subshell PID has begun
# f PID            end the shell PID of another program, and what it has begun or was about to begin
# When its input ends, as when the connection is lost, the shell waits for the command that it has begun: by the shell
# others know that the host is not quiet yet. Names of variables that live beside those of a command begin with two
# underscores.
_END = r"""
p() {
  for f in /proc/[0-9]*/stat; do
    { read -r t <"$f"; } 2>/dev/null || continue
    n=${t%% *}; set -- "$1" "$2" ${t##*) }
    case $3 in Z|X) continue;; esac
    case $1 in ppid) v=$4;; *) v=$6;; esac
    [ "$v" = "$2" ] && { [ "$1" = sid ] || [ "$n" = "$6" ]; } && echo "$n"
  done
}
e() {
  s=$(p ppid "$1")
  for l in $s; do kill -TERM $(p sid "$l") 2>/dev/null; done
  c=0
  for l in $s; do
    while [ "$c" -lt 15 ] && [ -n "$(p sid "$l")" ]; do sleep 0.2; c=$((c+1)); done
    kill -KILL $(p sid "$l") 2>/dev/null
  done
}
f() { kill -STOP "$1" 2>/dev/null; e "$1"; kill -KILL $(p ppid "$1") "$1" 2>/dev/null; }
"""
_PROLOGUE = (
    f"PATH={PATH}; export PATH\nunset ENV BASH_ENV CDPATH\ntrap wait EXIT\n"
    + _END
    + r"""
h() { printf %s "$1"; printf %s "$1" >&2; }
t() { printf '%s%s\n' "$1" "$2"; printf '%s\n' "$1" >&2; }
k() { command -v "$1" >/dev/null || { printf 'sh: %s: not found\n' "$1" >&2; return 127; }; }
r() { __m=$1; shift; h "$__m"; k "$1" && setsid "$@" </dev/null; t "$__m" $?; }
i() { __m=$1; __b=$2; shift 2; h "$__m"; k "$1" && printf %s "$__b" | base64 -d | setsid "$@"; t "$__m" $?; }
"""
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Hold what is to be run: words, small input, and variables that are set for it alone."""

    argv: tuple[str, ...]
    stdin: bytes = b""
    env: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.argv:
            raise ValueError("a command needs at least one word")
        if any("\0" in word for word in (*self.argv, *(value for _, value in self.env))):
            raise ValueError("a word of a command cannot hold a NUL byte")
        for name, _ in self.env:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of an environment variable")

    @property
    def exports(self) -> str:
        """Give the variables as one line of shell, which travels on standard input only."""
        return "".join(f"export {name}={shlex.quote(value)}; " for name, value in self.env)

    def script(self, mark: str) -> str:
        """Give the script that performs this command between two marks."""
        words = shlex.join(self.argv)
        call = f"i {mark} {base64.b64encode(self.stdin).decode()} {words}" if self.stdin else f"r {mark} {words}"
        return f"wait\n{{ {self.exports}{call}; }} & q=$!\n"


class OverdueError(Exception):
    """Tell that a command was ended because its time was over; `result` is what it had said until then."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


@dataclass(slots=True)
class _Frame:
    """Cut one command's bytes out of a stream: between the first mark and the second."""

    mark: bytes
    on_line: Callable[[str], None] | None
    whole: bool = False
    status: int = 0
    body: bytes = b""
    _buffer: bytearray = field(default_factory=bytearray)
    _inside: bool = False
    _told: int = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if self.whole:
            return  # said by something that an earlier command left running
        overlap = max(0, len(self._buffer) - len(self.mark))
        self._buffer += data
        if not self._inside and not self._enter():
            return
        end = self._buffer.find(self.mark, overlap if overlap > self._told else 0)
        self._tell(end if end >= 0 else self._buffer.rfind(b"\n") + 1)
        stop = self._buffer.find(b"\n", end) if end >= 0 else -1
        if stop >= 0:
            self.whole = True
            self.status = int(self._buffer[end + len(self.mark) : stop] or b"0")
            self.body = bytes(memoryview(self._buffer)[:end])

    def so_far(self) -> bytes:
        """Give the command's bytes, also when it has not ended."""
        return self.body if self.whole else bytes(self._buffer) if self._inside else b""

    def _enter(self) -> bool:
        at = self._buffer.find(self.mark)
        self._inside = at >= 0
        del self._buffer[: at + len(self.mark) if self._inside else -len(self.mark)]
        return self._inside

    def _tell(self, end: int) -> None:
        """Call back for each line up to `end`; a mark holds no line end, so a whole line never holds a part of one."""
        if self.on_line is not None and end > self._told:
            text = bytes(self._buffer[self._told : end]).decode("utf-8", "replace")
            self._told = end
            for line in text.splitlines():
                self.on_line(line)


class ResidentShell:
    """Perform commands one after the other on a `/bin/sh` that reads its script from a pipe."""

    def __init__(self, pipe: Pipe, *, timeout: float) -> None:
        self._pipe = pipe
        send_all(pipe, _PROLOGUE.encode(), deadline=time.monotonic() + timeout)

    @property
    def alive(self) -> bool:
        """Tell whether the carrier beneath still stands."""
        return self._pipe.alive

    def usable(self) -> bool:
        """Tell whether the shell still runs; forgets what earlier commands left running has said meanwhile."""
        try:
            while self._pipe.read(timeout=0) is not None:
                pass
        except PipeClosedError:
            return False
        return True

    def run(self, command: Command, *, timeout: float, on_line: Callable[[str], None] | None = None) -> Result:
        """Perform a command; raises OverdueError after `timeout` seconds, PipeClosedError when the shell has gone.

        After any error but OverdueError the shell must be closed.
        """
        mark = secrets.token_hex(16)
        frames = {source: _Frame(mark.encode(), on_line) for source in Source}
        deadline = time.monotonic() + timeout
        try:
            send_all(self._pipe, command.script(mark).encode("utf-8", "surrogateescape"), deadline=deadline)
        except TimeoutError:
            raise PipeClosedError from None
        if self._collect(frames, deadline):
            return self._result(frames, frames[Source.STDOUT].status)
        self._tell("e $q")
        if not self._collect(frames, time.monotonic() + GRACE + PATIENCE):
            raise PipeClosedError
        raise OverdueError(self._result(frames, 124))

    def end(self, pid: int) -> None:
        """Tell the shell to end another program, of which `pid` is the shell: SIGTERM, then SIGKILL."""
        self._tell(f"f {pid}")

    def close(self) -> None:
        """End the shell."""
        self._pipe.close()

    def _tell(self, line: str) -> None:
        send_all(self._pipe, f"{line}\n".encode(), deadline=time.monotonic() + PATIENCE)

    def _collect(self, frames: dict[Source, _Frame], deadline: float) -> bool:
        while not all(frame.whole for frame in frames.values()):
            left = deadline - time.monotonic()
            got = self._pipe.read(timeout=left) if left > 0 else None
            if got is None:
                return False
            source, data = got
            frames[source].feed(data)
        return True

    @staticmethod
    def _result(frames: dict[Source, _Frame], status: int) -> Result:
        return Result(exit_status=status, stdout=frames[Source.STDOUT].so_far(), stderr=frames[Source.STDERR].so_far())
