"""Turn an error into what the operator reads and what a script reads."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sealpy.cli.exits import BUG
from sealpy.cli.home import home
from sealpy.errors import (
    CommandError,
    ConfigError,
    ImageError,
    InterruptedRunError,
    PhaseError,
    PluginFailedError,
    PreflightError,
    Problem,
    SealpyError,
)

__all__ = ["HostReport", "ProblemReport", "Report", "describe"]

_FORBIDDEN: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NO_HOME: Final = _FORBIDDEN | {errno.ENOTDIR, errno.EEXIST}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemReport:
    """Hold one finding; `place` is `file:line:column` or empty, `host` is empty unless it is about one."""

    message: str
    place: str = ""
    hint: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """Hold why one host failed, with the last lines of its command."""

    message: str
    code: str
    hint: str = ""
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Hold all that is told about an error; `log` is the file with the rest of the story, or empty."""

    code: str
    message: str
    exit_code: int
    hint: str = ""
    problems: tuple[ProblemReport, ...] = ()
    hosts: dict[str, HostReport] = field(default_factory=dict)
    tail: tuple[str, ...] = ()
    log: str = ""

    def data(self) -> dict[str, Any]:
        """Give the report as plain data, for JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield the report as lines of text: what, each problem, each host, what to do next, where to read more."""
        yield f"error: {self.message}"
        yield from (f"  │ {line}" for line in self.tail)
        for problem in self.problems:
            yield "  " + ": ".join(part for part in (problem.host, problem.place, problem.message) if part)
            if problem.hint:
                yield f"    {problem.hint}"
        for host, failure in self.hosts.items():
            yield f"  {_host_first(host, failure.message)}"
            yield from (f"    │ {line}" for line in failure.tail)
            if failure.hint and failure.hint != self.hint:
                yield f"    next: {failure.hint}"
        if self.hint:
            yield f"next: {self.hint}"
        if self.log:
            yield f"log:  {self.log}"


def describe(error: BaseException, *, log: Path | None = None) -> Report:
    """Describe any error; what is not one of ours is told as a bug."""
    where = str(log or "")
    match error:
        case SealpyError():
            return Report(
                code=error.code,
                message=error.message,
                exit_code=error.exit_code,
                hint=error.hint,
                problems=tuple(_problems(error)),
                hosts=_hosts(error),
                tail=error.tail if isinstance(error, CommandError) else (),
                log=where,
            )
        case KeyboardInterrupt():
            interrupted = InterruptedRunError("interrupted")
            return Report(
                code=interrupted.code, message=interrupted.message, exit_code=interrupted.exit_code, log=where
            )
        case OSError(filename=filename, strerror=str(reason)):
            message = f"{filename}: {reason.lower()}" if filename else reason.lower()
            return Report(code="os", message=message, exit_code=1, hint=_way_out(error), log=where)
        case _:
            return Report(
                code="bug",
                message=f"this is a bug in sealpy: {type(error).__name__}: {error}",
                exit_code=BUG,
                hint="send the log file to the authors" if log else "",
                log=where,
            )


def _way_out(error: OSError) -> str:
    place = Path(str(error.filename or os.devnull))
    is_home, above = place.is_relative_to(home()), home().is_relative_to(place)  # it is made from above
    if (is_home and error.errno in _NO_HOME) or (above and error.errno in {*_NO_HOME, errno.ENOENT}):
        return "let SEALPY_HOME name a directory where you may write"
    return "take a place where you may write" if error.errno in _FORBIDDEN else ""


def _problems(error: SealpyError) -> Iterator[ProblemReport]:
    match error:
        case ConfigError() | ImageError() | PluginFailedError():
            yield from (_problem(found) for found in error.problems)
        case PreflightError():
            for host, problems in error.problems.items():
                yield from (_problem(found, host=host) for found in problems)


def _problem(found: Problem, *, host: str = "") -> ProblemReport:
    return ProblemReport(message=found.message, place=str(found.place or ""), hint=found.hint, host=host)


def _hosts(error: SealpyError) -> dict[str, HostReport]:
    if not isinstance(error, PhaseError):
        return {}
    return {host: _host(failure) for host, failure in error.errors.items()}


def _host(failure: SealpyError) -> HostReport:
    tail: Sequence[str] = failure.tail if isinstance(failure, CommandError) else ()
    if not tail:  # a plugin's or preflight's findings take the place of a command's last lines
        tail = [f"{p.place}: {p.message}" if p.place else p.message for p in _problems(failure)]
    return HostReport(message=failure.message, code=failure.code, hint=failure.hint, tail=tuple(tail))


def _host_first(host: str, message: str) -> str:
    return message if message.startswith(host) else f"{host}: {message}"
