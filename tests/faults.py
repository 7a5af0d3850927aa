"""The table of faults, as a product of the tests that make them: what went wrong, what was seen, how it went on.

A test that spoils something asks for the fixture `fault` and notes what it saw. The table stands in the summary of
pytest, one line for each fault of a test that passed, and with `--faults FILE` in that file too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

__all__ = ["Fault", "fault", "pytest_addoption", "pytest_terminal_summary"]

_PROPERTY = "fault"
_HEADS = ("fault", "command", "what was seen", "second run")
Row = tuple[str, ...]


class Fault(Protocol):
    """Note one fault."""

    def __call__(self, what: str, command: str, *, seen: str, second: float | None = None) -> None:
        """Take what went wrong, in which command, what was seen of it, and how many seconds the run after it took."""


@pytest.fixture
def fault(record_property: Any) -> Fault:
    """Give what notes a fault in the table."""

    def note(what: str, command: str, *, seen: str, second: float | None = None) -> None:
        record_property(_PROPERTY, [what, command, seen, "none needed" if second is None else f"{second:.1f} s"])

    return note


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", metavar="FILE", type=Path, help="write the table of faults into this file, too")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    passed = terminalreporter.stats.get("passed", [])
    rows = [tuple(value) for report in passed for name, value in report.user_properties if name == _PROPERTY]
    if not rows:
        return
    terminalreporter.section("faults")
    lines = list(_table(rows))
    for line in lines:
        terminalreporter.write_line(line)
    if file := config.getoption("--faults"):
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _table(rows: Iterable[Row]) -> Iterator[str]:
    every = [_HEADS, *rows]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    for row in every:
        yield " · ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
