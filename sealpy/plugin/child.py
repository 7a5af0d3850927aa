"""The host's end of the pipe to a plugin's process."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

import sealpy
from sealpy.errors import PluginBrokenError, PluginError
from sealpy.plugin.code import Artefact, Installed, Program, SourceFile, ZipApp
from sealpy.plugin.descendants import kill_tree
from sealpy.plugin.limits import Limits
from sealpy.plugin.output import Forwarder
from sealpy.sdk import PluginContext, StepFailedError
from sealpy.sdk.wire import encode_context

__all__ = ["Child"]

Message = Mapping[str, object]

# What `python -m` would do takes longer. The package's directory is on the path only while its own code is loaded, so
# that a plugin does not come to lean on what happens to be installed beside sealpy; and it stands last, so that nothing
# there takes the place of the standard library.
_START = "import sys; sys.path.append(sys.argv[1]); from sealpy.sdk.child import main; sys.path.pop(); main()"
_BECOME = "import sys; sys.path.append(sys.argv[1]); from sealpy.sdk.program import become; become()"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
_TICK = 0.1  # seconds between two looks whether the operator interrupts
_CLOSED_PAUSE = 0.01


class Child:
    """Run a plugin's code in a process of its own for one call; use as a context manager.

    It starts in a private directory, with an environment of a few harmless names, no terminal, no standard input, no
    connection and no credential. It ends with `close` or at its deadline, with all that it has started, and when sealpy
    is killed, with all that has not left its process group. This limits accidents; it is no sandbox against an author
    who means harm.
    """

    def __init__(
        self,
        code: Installed | Artefact,
        *,
        limits: Limits,
        show: Callable[[str], None],
        log: Callable[[str], None],
        check_interrupted: Callable[[], None],
    ) -> None:
        self._code = code
        self._limits = limits
        self._check_interrupted = check_interrupted
        self._left = limits.deadline
        self._lock = threading.RLock()
        self._ended = False
        self._buffer = bytearray()
        self._directory = Path(tempfile.mkdtemp(prefix="sealpy-plugin-"))  # mode 0700
        try:
            self._process, self._calls, self._answers, self._held = self._start()
        except BaseException:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        self._streams = self._forward(show, log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def load(self, context: PluginContext) -> str:
        """Load the plugin; gives the style it is written in: `steps` (for each host) or `run` (once)."""
        match self._code:
            case SourceFile(name=name):
                code = {"file": name}
            case ZipApp(name=name):
                code = {"archive": name}
            case Program(name=name):
                code = {"program": name}
            case Installed(module=module, attribute=attribute):
                code = {"module": module, "attribute": attribute}
            case _:
                assert_never(self._code)
        answer = self.exchange({"call": "load", **code, "context": encode_context(context)})
        match answer:
            case {"ready": "steps" | "run" as style}:
                return str(style)
            case _:
                raise self._broken(f"answered {str(dict(answer))[:200]!r} where its style was asked for")

    def exchange(self, message: Message) -> Message:
        """Call and wait for the answer; raises PluginError when none comes, or it is no message, or a failure."""
        with self._lock:
            if self._ended:
                raise PluginError("its process has ended already")
            try:
                self._send(message)
                answer = self._parse(self._receive())
            except BaseException:
                self._end()
                raise
        if failure := answer.get("failed"):
            raise _failed(failure)
        return answer

    def close(self) -> None:
        """End the process and take its directory away; a second call does nothing."""
        if not self._ended:
            kill_tree(self._process.pid)  # without the lock: somebody may be waiting for an answer
        with self._lock:
            self._end()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self) -> tuple[subprocess.Popen[bytes], int, int, int]:
        start = self._write_down()
        root = str(Path(sealpy.__file__).resolve().parent.parent)
        child_in, calls = os.pipe()
        answers, child_out = os.pipe()
        lifeline, held = os.pipe()  # nothing is written to it: its end is ours, however we end
        inherited = (child_in, child_out, lifeline)
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", *start[:-1], root, *map(str, inherited), start[-1]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=inherited,
                cwd=self._directory,
                env=self._environment(),
                start_new_session=True,
            )
        except BaseException:
            _close(calls, answers, held)
            raise
        finally:
            _close(*inherited)
        os.set_blocking(calls, False)
        os.set_blocking(answers, False)
        return process, calls, answers, held

    def _write_down(self) -> tuple[str, ...]:
        """Put the code into the directory of the process; gives the words that start it, and its path at the end."""
        match self._code:
            case Installed():
                return "-X", "utf8", "-c", _START, ""
            case SourceFile() | ZipApp() | Program():
                file = self._directory / self._code.name
                file.write_bytes(self._code.content)
                file.chmod(0o700)
                begin = _BECOME if isinstance(self._code, Program) else _START
                # without what is installed: the standard library and the sdk are all that a file can count on
                return "-S", "-X", "utf8", "-c", begin, str(file)
            case _:
                assert_never(self._code)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**kept, "HOME": str(self._directory), "TMPDIR": str(self._directory)}

    def _forward(self, show: Callable[[str], None], log: Callable[[str], None]) -> tuple[Forwarder, Forwarder]:
        out, err = self._process.stdout, self._process.stderr
        if out is None or err is None:  # both are pipes: for the type checker
            raise AssertionError
        return Forwarder(out, show, limits=self._limits), Forwarder(err, log, limits=self._limits)

    def _send(self, message: Message) -> None:
        view = memoryview(json.dumps(message).encode() + b"\n")
        begun = time.monotonic()
        while view:
            self._check_interrupted()
            ready = _ready(self._calls, select.POLLOUT)
            try:
                view = view[os.write(self._calls, view[: 64 * 1024]) :] if ready else view
            except BrokenPipeError as error:
                raise self._died() from error
            if time.monotonic() - begun > self._left:
                raise self._overdue()

    def _receive(self) -> bytes:
        """Wait for one line; only this time is counted as the plugin's own."""
        begun = time.monotonic()
        while (end := self._buffer.find(b"\n")) < 0:
            self._check_interrupted()
            if time.monotonic() - begun > self._left:
                raise self._overdue()
            if len(self._buffer) > self._limits.message:
                raise self._broken(f"sent a message of more than {self._limits.message} bytes")
            ended = self._has_ended()  # looked at before reading: what was written before the end counts
            if not self._read() and ended:
                raise self._died()
        self._left -= time.monotonic() - begun
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _read(self) -> bool:
        """Take what has come within a tick; False when nothing has."""
        ready = _ready(self._answers, select.POLLIN)
        data = os.read(self._answers, 1024 * 1024) if ready else b""
        self._buffer += data
        if ready and not data:
            time.sleep(_CLOSED_PAUSE)  # the pipe is closed, the process about to end
        return bool(data)

    def _parse(self, line: bytes) -> Message:
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._broken(f"wrote {line[:60]!r} on the descriptor of the protocol, which is no message")
        return answer

    def _overdue(self) -> PluginError:
        """Interrupt, then ask to end; `exchange` kills what is left."""
        os.kill(self._process.pid, signal.SIGINT)
        if not self._answers_within(self._limits.term_after):
            os.killpg(self._process.pid, signal.SIGTERM)
            self._answers_within(self._limits.kill_after)
        return PluginBrokenError(
            f"was ended: it used up its {self._limits.deadline:g} s without an answer",
            hint="if it needs longer, give its class a 'timeout', in seconds",
        )

    def _answers_within(self, seconds: float) -> bool:
        """Wait for an answer, which now comes too late, or for the end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._has_ended() or self._read():
                return True
        return False

    def _has_ended(self) -> bool:
        """Look without taking the exit status, so that the process's number remains its own until `_end`."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _end(self) -> None:
        """Kill what is left of the process and all that it started, and close the pipes."""
        if self._ended:
            return
        self._ended = True
        kill_tree(self._process.pid)
        self._process.wait()
        for forwarder in self._streams:
            forwarder.join(1.0)
        _close(self._calls, self._answers, self._held)

    def _died(self) -> PluginError:
        self._end()
        status = self._process.returncode
        how = f"with exit status {status}" if status >= 0 else f"by signal {signal.Signals(-status).name}"
        return self._broken(f"its process ended in the middle of the call, {how}")

    def _broken(self, message: str) -> PluginError:
        last = list(self._streams[1].tail)[-10:]
        return PluginBrokenError("\n  ".join((message, *last)))


def _ready(descriptor: int, event: int) -> bool:
    """Wait a tick; by poll, since select knows no descriptor above 1023, and many hosts open many."""
    poller = select.poll()
    poller.register(descriptor, event)
    return bool(poller.poll(_TICK * 1000))


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _failed(failure: object) -> PluginError | StepFailedError:
    match failure:
        case {"kind": "step", "message": str(message)}:
            return StepFailedError(message)  # its own step's: the engine knows better what that was
        case {"message": str(message), "traceback": str(traceback)}:
            return PluginBrokenError("\n  ".join((message, *traceback.splitlines())))
        case {"kind": "exit" | "mistake", "message": str(message)}:
            return PluginBrokenError(message)
        case {"message": str(message)}:
            return PluginError(message)
        case _:
            return PluginError("failed without saying why")
