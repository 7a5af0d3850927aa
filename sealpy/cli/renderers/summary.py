"""The end of a run as two tables: what became of each host, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sealpy.cli.renderers.lines import without
from sealpy.cli.renderers.progress import HostTally, Progress
from sealpy.cli.renderers.units import duration, size
from sealpy.cli.table import table_lines
from sealpy.errors import counted

__all__ = ["summary"]

_ROOM: Final = 30  # hosts that are listed one by one; of more, those that failed


def summary(progress: Progress, *, screen: int = 0) -> Iterator[str]:
    """Yield the lines of both tables; nothing for a rehearsal, whose result is the plan, or a run without hosts.

    On a screen of so many columns they are made to fit.
    """
    if progress.rehearsal:
        return
    listed = {host: tally for host, tally in progress.hosts.items() if tally.error or len(progress.hosts) <= _ROOM}
    if listed:
        yield ""
        yield from _hosts(listed, screen)
    if hidden := len(progress.hosts) - len(listed):
        yield f"{'+ ' if listed else ''}{counted(hidden, 'host')}, all well"
    if progress.times:
        yield ""
        total = sum(phase.seconds for phase in progress.times)
        rows = [(phase.title, duration(phase.seconds)) for phase in progress.times]
        yield from table_lines(["phase", "time"], [*rows, ("all phases", duration(total))], screen=screen)
    if listed or progress.times:
        yield ""


def _hosts(hosts: dict[str, HostTally], screen: int) -> Iterator[str]:
    columns: dict[str, Sequence[object]] = {
        "host": list(hosts),
        "role": [tally.role for tally in hosts.values()],
        "changed": [tally.changed for tally in hosts.values()],
        "sent": [size(tally.sent) if tally.sent else "" for tally in hosts.values()],
        "state": [f"failed: {without(host, tally.error)}" if tally.error else "ok" for host, tally in hosts.items()],
    }
    told = {name: cells for name, cells in columns.items() if any(cell != "" for cell in cells)}
    yield from table_lines(list(told), list(zip(*told.values(), strict=True)), screen=screen)
