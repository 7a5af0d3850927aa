"""The live screen: finished phases scroll by with a tick, the running one shows what each host does right now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import time as now
from typing import Final, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live as Screen
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sealpy import events as e
from sealpy.cli.renderers.lines import count, line
from sealpy.cli.renderers.progress import Activity, Progress
from sealpy.cli.renderers.summary import summary
from sealpy.cli.renderers.units import duration, rate, remaining, size

__all__ = ["Live"]

_PER_SECOND: Final = 8
_FEWEST: Final = 3  # lines of hosts even on a tiny screen
_AROUND: Final = 4  # lines kept free: the phase, the rest, the prompt, one to breathe
_MARKS: Final = {"✓": "green", "✗": "bold red", "-": "dim"}
_LASTING: Final = {  # what is printed above the moving part, and how
    e.RunStarted: "bold",
    e.RunFinished: "bold",
    e.PhaseSkipped: "dim",
    e.PhaseFinished: "green",
    e.PluginOutput: "none",
    e.PluginFinished: "none",
    e.PluginSkipped: "dim",
    e.StepOutput: "none",
    e.StepFinished: "red",  # one that failed
    e.TaskFinished: "none",
    e.HostKeyAccepted: "none",
    e.Warned: "yellow",
}


class Live:
    """Draw on a terminal; what is done is printed above the moving part, so it stays when the run ends."""

    def __init__(
        self,
        stream: TextIO,
        *,
        color: bool = True,
        clock: Callable[[], float] = now,
        console: Console | None = None,
    ) -> None:
        self._console = console or Console(file=stream, no_color=not color, highlight=False)
        self._clock = clock
        self._progress = Progress()
        self._lock = threading.Lock()  # never held while printing: the screen's own lock is taken there
        self._spinner = Spinner("dots", style="cyan")
        self._screen: Screen | None = None

    def show(self, event: e.Event, *, time: float) -> None:
        """Take an event into the picture, and print what stays."""
        with self._lock:
            self._progress.apply(event, time=time)
        if isinstance(event, e.RunFinished):
            self.close()
        for text in _lasting(event):
            self._console.print(text, soft_wrap=True)
        if isinstance(event, e.RunFinished):
            for row in summary(self._progress):
                self._console.print(Text(row), soft_wrap=True)
            self._progress = Progress()
        else:
            self._open()

    def close(self) -> None:
        """Take the moving part off the screen and give the cursor back."""
        if self._screen:
            self._screen.stop()
            self._screen = None

    def picture(self) -> RenderableType:
        """Draw the moving part: the running phase, and under it a line per host, as many as there is room for."""
        moment = self._clock()
        with self._lock:
            phase, since = self._progress.phase, self._progress.phase_since
            activities = sorted(self._progress.activities.values(), key=lambda a: (not a.running, a.since))
            rows = [_Row.of(activity, moment) for activity in activities]
        parts: list[RenderableType] = []
        if phase:
            parts.append(Text.assemble("▶ ", (phase, "bold"), (f"  {duration(moment - since)}", "dim")))
        room = max(_FEWEST, self._console.height - _AROUND)
        if rows:
            parts.append(self._grid(rows[:room], moment))
        if len(rows) > room:
            parts.append(Text(f"  + {count(len(rows) - room, 'more host')}", style="dim"))
        return Group(*parts)

    def _grid(self, rows: list[_Row], moment: float) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
        grid.add_column(width=3, justify="right")
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        grid.add_column(no_wrap=True)
        for row in rows:
            mark = self._spinner.render(moment) if row.running else Text("·", style="dim")
            grid.add_row(mark, row.host, row.what, row.how)
        return grid

    def _open(self) -> None:
        if self._screen is None and (self._progress.phase or self._progress.activities):
            self._screen = Screen(
                get_renderable=self.picture,
                console=self._console,
                refresh_per_second=_PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._screen.start()


@dataclass(frozen=True, slots=True)
class _Row:
    """Hold one line of the moving part: who, what, and how far."""

    host: str
    what: Text
    how: RenderableType
    running: bool

    @classmethod
    def of(cls, activity: Activity, moment: float) -> _Row:
        """Draw what a host, or a task here, is doing; a step that has ended is dim and has no clock."""
        what = Text(activity.title, style="" if activity.running else "dim")
        if activity.detail:
            what.append(f"  {activity.detail}", style="dim")
        return cls(activity.host, what, _how(activity, moment), activity.running)


def _how(activity: Activity, moment: float) -> RenderableType:
    if not activity.running:
        return Text()
    elapsed = Text(duration(moment - activity.since), style="dim")
    if not activity.total:
        return elapsed
    how = Table.grid(padding=(0, 1, 0, 0))
    bar = ProgressBar(total=activity.total, completed=activity.sent, width=20)
    how.add_row(
        bar, *([f"{activity.sent * 100 // activity.total} %", elapsed] if activity.is_task else [_stream(activity)])
    )
    return how


def _stream(activity: Activity) -> str:
    """Write how far a stream of bytes is: bytes of bytes, rate, time left."""
    parts = (
        f"{size(activity.sent)} of {size(activity.total)}",
        rate(activity.sent, activity.seconds),
        remaining(activity.sent, activity.total, seconds=activity.seconds),
    )
    return " · ".join(part for part in parts if part)


def _lasting(event: e.Event) -> Iterator[Text]:
    """Yield what stays on the screen after the moving part is gone."""
    match event:
        case e.StepFinished(error=""):
            return
        case e.StepOutput(live=False):
            return
        case _:
            if style := _LASTING.get(type(event)):
                text = line(event)
                yield Text(text, style=_MARKS.get(text[0], style))
