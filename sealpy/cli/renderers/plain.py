"""Plain lines for pipes and continuous integration: one line per event that matters, host first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TextIO

from sealpy import events as e
from sealpy.cli.renderers.lines import line
from sealpy.cli.renderers.progress import Progress
from sealpy.cli.renderers.summary import summary
from sealpy.cli.settings import Detail

__all__ = ["Plain", "matters"]


_PAUSE: Final = 2.0  # seconds at least between two lines of progress of the same thing,
_STRIDE: Final = 10  # and so many percent,
_SILENCE: Final = 30.0  # but nobody waits longer than this for a sign of life
_ALL: Final = 100
_NOTABLE: Final = (
    e.RunStarted,
    e.RunFinished,
    e.PhaseStarted,
    e.PhaseSkipped,
    e.PhaseFinished,
    e.PluginRetrying,
    e.PluginOutput,
    e.PluginFinished,
    e.PluginSkipped,
    e.StepRetrying,
    e.TransferProgress,
    e.TaskProgress,
    e.TaskOutput,
    e.TaskFinished,
    e.HostKeyAccepted,
    e.Warned,
)


def matters(event: e.Event, *, detail: Detail) -> bool:
    """Tell whether an event is shown: of the steps, normally only those that changed something or failed."""
    match detail, event:
        case Detail.QUIET, _:
            return isinstance(event, e.Warned)
        case Detail.VERBOSE, _:
            return True
        case _, e.StepOutput():
            return event.live
        case _, e.StepFinished():
            return event.changed or event.rehearsed or bool(event.error)
        case _:
            return isinstance(event, _NOTABLE)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Hold how far something was when it was told last."""

    time: float
    percent: int
    detail: str = ""

    def is_worth_a_line_after(self, before: _Seen) -> bool:
        passed, gained = self.time - before.time, self.percent - before.percent
        news = gained >= _STRIDE or self.detail != before.detail
        return passed >= _SILENCE or (passed >= _PAUSE and news) or before.percent < self.percent == _ALL


class Plain:
    """Write lines; progress of one thing at most every 2 seconds and 10 %, and its end unless that comes as soon."""

    def __init__(self, stream: TextIO, *, detail: Detail = Detail.NORMAL) -> None:
        self._stream = stream
        self._detail = detail
        self._progress = Progress()
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._steps: dict[str, tuple[str, float]] = {}  # of each task: what it is at, and since when

    def show(self, event: e.Event, *, time: float) -> None:
        """Write the line of an event, if it matters and is not too soon; after a run the tables of its end."""
        self._progress.apply(event, time=time)
        if not matters(event, detail=self._detail) or self._too_soon(event, time):
            return
        lines = [line(event)]
        if isinstance(event, e.RunFinished):
            lines += summary(self._progress)
            self._progress = Progress()
        self._stream.write("".join(f"{text}\n" for text in lines))
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: each line is complete by itself."""

    def _too_soon(self, event: e.Event, time: float) -> bool:
        match event:
            case e.TransferProgress():
                seen = _Seen(time, event.sent * _ALL // event.total if event.total else _ALL)
                return self._throttled((event.host, event.title), seen)
            case e.TaskProgress():
                return self._task_too_soon(event, time)
            case e.TaskFinished():
                self._steps.pop(event.task, None)
                return False
            case e.StepRetrying():
                return self._throttled((event.host, event.title), _Seen(time, 0, event.reason))
            case _:
                return False

    def _task_too_soon(self, event: e.TaskProgress, time: float) -> bool:
        """Show each step as it begins; what is over at once needs no line to say so."""
        key = ("", event.task)
        now = _Seen(time, event.done * _ALL // event.total if event.total else 0, event.detail)
        detail, since = self._steps.get(event.task, (None, time))
        if detail != event.detail:
            self._steps[event.task] = event.detail, time
            if not event.done:
                self._seen[key] = now
                return False
        elif now.percent == _ALL and time - since < _PAUSE:
            return True
        return self._throttled(key, now)

    def _throttled(self, key: tuple[str, str], now: _Seen) -> bool:
        before = self._seen.get(key)
        if before and not now.is_worth_a_line_after(before):
            return True
        self._seen[key] = now
        return False
