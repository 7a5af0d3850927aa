"""What a command talks to: results on stdout, everything else on stderr, secrets on neither.

A command receives an `Output` as `ctx.obj`. It gives `emit` to the engine, and prints what it was asked for by `text`,
`table` or `json`. With `--output json` events are results too: JSON lines on stdout.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, TextIO

from sealpy.cli.jsontext import indented, one_line
from sealpy.cli.redaction import Secrets
from sealpy.cli.settings import Detail, Settings, Style

if TYPE_CHECKING:
    from sealpy.cli.renderers import Renderer
    from sealpy.cli.renderers.logfile import LogFile
    from sealpy.cli.report import Report
    from sealpy.events import Event

__all__ = ["Detail", "Output", "Settings", "Style"]


class Output:
    """Write results, events and errors; every method may be called by any thread."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        clock: Callable[[], float] = time,
        crashes: Path | None = None,
    ) -> None:
        """Write to these streams; `crashes` is the directory where a bug leaves its traceback when no log is open."""
        self.settings = settings or Settings()
        self.secrets = Secrets()
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self._clock = clock
        self._crashes = crashes
        self._lock = threading.RLock()
        self._renderer: Renderer | None = None
        self._log: LogFile | None = None

    @property
    def is_json(self) -> bool:
        """Tell whether the operator asked for JSON."""
        return self.settings.style is Style.JSON

    @property
    def screen(self) -> int:
        """Give how many columns the terminal has that results go to, 0 for a file or a pipe."""
        from shutil import get_terminal_size

        return get_terminal_size().columns if self._stdout.isatty() else 0

    @property
    def log_path(self) -> Path | None:
        """Give the log file of this run, when one was opened."""
        return self._log.path if self._log else None

    def configure(self, **changes: Any) -> None:
        """Change settings, by the names of their fields; meant for the time before the first event."""
        self.settings = self.settings._replace(**changes)

    def open_log(self, path: Path) -> None:
        """Write all events from now on to this file too, mode 0600; its directory is made when it is missing."""
        from sealpy.cli.renderers.logfile import LogFile

        with self._lock:
            if self._log:
                self._log.close()
            self._log = LogFile(path)

    # -- results ------------------------------------------------------------------------------------------------------

    def text(self, text: str) -> None:
        """Print a result as it is, with a newline at its end; as `{"text": …}` when the operator asked for JSON."""
        clean = self.secrets.clean(text)
        self._result(one_line({"text": clean}) if self.is_json else clean)

    def json(self, data: object) -> None:
        """Print a result as JSON: indented for people, on one line when the operator asked for JSON."""
        clean = self.secrets.clean_data(data)
        self._result(one_line(clean) if self.is_json else indented(clean))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table; as a list of objects, keyed by the columns in lower case, when JSON was asked for."""
        if self.is_json:
            keys = [column.lower().replace(" ", "_") for column in columns]
            self.json([dict(zip(keys, row, strict=True)) for row in rows])
            return
        from sealpy.cli.table import table_lines

        lines = [title] if title else []
        clean = [[self.secrets.clean(str(cell)) for cell in row] for row in rows]
        lines += table_lines(columns, clean, screen=self.screen)
        self._result("\n".join(lines))

    def _result(self, text: str) -> None:
        with self._lock:
            self._settle()
            self._stdout.write(text if text.endswith("\n") else text + "\n")
            self._stdout.flush()

    # -- events -------------------------------------------------------------------------------------------------------

    def emit(self, event: Event) -> None:
        """Show an event and write it to the log; a reader that went away does not stop the run."""
        clean = self.secrets.clean_data(event)
        moment = self._clock()
        with self._lock:
            self._record(clean, moment)
            self._renderer = self._renderer or self._choose()
            try:
                self._renderer.show(clean, time=moment)
            except BrokenPipeError:
                self._renderer = _Nowhere()

    def _record(self, event: Event, moment: float) -> None:
        """Write an event to the log; a disk that is full ends the log, not the run."""
        log = self._log
        if not log:
            return
        try:
            log.show(event, time=moment)
        except OSError as error:
            from sealpy.events import Warned

            with suppress(OSError):  # closing writes what is left, in vain again
                log.close()
            self._log = None
            from sealpy.disk import reason_of

            self.emit(Warned(message=f"the log file ends here: {log.path}: {reason_of(error)}"))

    def _choose(self) -> Renderer:
        if self.is_json:
            from sealpy.cli.renderers.jsonl import JsonLines

            return JsonLines(self._stdout)
        if self.settings.terminal and self.settings.detail is Detail.NORMAL:
            from sealpy.cli.renderers.live import Live

            return Live(self._stderr, color=self.settings.color)
        from sealpy.cli.renderers.plain import Plain

        return Plain(self._stderr, detail=self.settings.detail)

    # -- the end ------------------------------------------------------------------------------------------------------

    def error(self, error: BaseException) -> int:
        """Tell what went wrong and what to do next; gives the exit code. A bug leaves its traceback in a file."""
        import traceback

        from sealpy.cli.exits import BUG
        from sealpy.cli.report import describe

        with self._lock:
            self._settle()
            trace = "".join(traceback.format_exception(error))
            log = self._keep(trace, bug=describe(error).exit_code == BUG)
            report = self.secrets.clean_data(describe(error, log=log))
            with suppress(BrokenPipeError):
                self._tell(report)
            return report.exit_code

    def close(self) -> None:
        """Leave the screen in order and close the log; a second call does nothing."""
        with self._lock, suppress(BrokenPipeError):
            self._settle()
            if self._log:
                self._log.close()

    def _settle(self) -> None:
        """Take what moves off the screen, so that what is printed now stands below it; the next event draws anew."""
        if self._renderer:
            self._renderer.close()

    def _tell(self, report: Report) -> None:
        if self.is_json:
            from sealpy.cli.renderers.jsonl import stamp

            self._stdout.write(one_line(stamp("error", report.data(), time=self._clock())) + "\n")
            self._stdout.flush()
            return
        for line in report.lines():
            self._stderr.write(self._colored(line) + "\n")
        self._stderr.flush()

    def _colored(self, line: str) -> str:
        word, separator, rest = line.partition(":")
        color = {"error": "31", "next": "36", "log": "2"}.get(word) if self.settings.color else None
        return f"\033[1;{color}m{word}:\033[0m{rest}" if color and separator else line

    def _keep(self, trace: str, *, bug: bool) -> Path | None:
        """Put a traceback into the log of the run; a bug gets a file even when there is none. Gives the file."""
        if not self._log and bug and self._crashes:
            with suppress(OSError):
                self.open_log(self._crashes / f"bug-{int(self._clock())}.log")
        if self._log:
            with suppress(OSError):  # a full disk is perhaps the very error
                self._log.write(self.secrets.clean(trace), time=self._clock())
        elif bug:
            self._stderr.write(self.secrets.clean(trace))
        return self.log_path


class _Nowhere:
    """Show nothing: the reader of our events went away."""

    def show(self, event: Event, *, time: float) -> None:
        """Drop the event."""

    def close(self) -> None:
        """Do nothing."""
