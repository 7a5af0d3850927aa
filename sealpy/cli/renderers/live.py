"""The live screen: finished phases scroll by with a tick, the running one shows what each host does right now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import time as now
from typing import Final, TextIO

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.text import Text

from sealpy import events as e
from sealpy.cli.renderers.lines import line
from sealpy.cli.renderers.progress import Progress
from sealpy.cli.renderers.rows import rows
from sealpy.cli.renderers.summary import summary
from sealpy.cli.renderers.units import duration

__all__ = ["Live"]

_PER_SECOND: Final = 8
_TURNING: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FEWEST: Final = 3  # lines of hosts even on a tiny screen
_AROUND: Final = 4  # lines kept free: the phase, the rest, the prompt, one to breathe
_MARKS: Final = {"✓": "green", "✗": "bold red", "-": "dim"}
_LASTING: Final = {  # what is printed above the moving part, and how
    e.RunStarted: "bold",
    e.RunFinished: "bold",
    e.PhaseSkipped: "dim",
    e.PhaseFinished: "green",
    e.PluginRetrying: "yellow",
    e.PluginOutput: "none",
    e.PluginFinished: "none",
    e.PluginSkipped: "dim",
    e.StepOutput: "none",
    e.StepFinished: "red",  # one that failed
    e.TaskOutput: "dim",
    e.TaskFinished: "none",
    e.HostKeyAccepted: "none",
    e.Warned: "yellow",
}
_FOREIGN: Final = (e.PluginOutput, e.StepOutput, e.TaskOutput)


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
        self._screen: Screen | None = None

    def show(self, event: e.Event, *, time: float) -> None:
        """Take an event into the picture, and print what stays."""
        with self._lock:
            self._progress.apply(event, time=time)
        if isinstance(event, e.RunFinished):
            self.close()
        for text in _lasting(event):
            # what a command printed may be copied: the terminal itself goes on in the next line
            self._console.print(text, soft_wrap=isinstance(event, _FOREIGN))
        if isinstance(event, e.RunFinished):
            for row in summary(self._progress, screen=self._console.width):
                self._console.print(Text(row), soft_wrap=True)
            self._progress = Progress()
        else:
            self._open()

    def close(self) -> None:
        """Take the moving part off the screen and give the cursor back."""
        if self._screen:
            self._screen.stop()
            self._screen = None

    def picture(self) -> Group:
        """Draw the moving part: the running phase, and under it a line per host, as many as there is room for."""
        moment = self._clock()
        with self._lock:
            phase, since = self._progress.phase, self._progress.phase_since
            oldest_first = sorted(self._progress.activities.values(), key=lambda a: (not a.running, a.since))
            activities = [replace(activity) for activity in oldest_first]  # the events go on while we draw
        parts = [_headline(phase, moment - since)] if phase else []
        room = max(_FEWEST, self._console.height - _AROUND)
        if shown := activities[:room]:
            mark = Text(_TURNING[int(moment * 10) % len(_TURNING)], style="cyan")
            parts += rows(shown, width=self._console.width, moment=moment, mark=mark)
        if hidden := len(activities) - len(activities[:room]):
            parts.append(Text(f"    + {hidden} more", style="dim"))
        return Group(*parts)

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


def _headline(phase: str, seconds: float) -> Text:
    headline = Text("▶ ", no_wrap=True, overflow="ellipsis")
    return headline.append(phase, style="bold").append(f"  {duration(seconds)}", style="dim")


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
