"""The lines of hosts under the running phase: one each, in columns, never wider than the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from sealpy.cli.renderers.progress import Activity
from sealpy.cli.renderers.units import duration, rate, remaining, size

__all__ = ["rows"]

_GAP: Final = "  "
_BAR: Final = 20
_WHAT: Final = 24  # columns that what a host does may claim before how far it is


@dataclass(frozen=True, slots=True)
class _Columns:
    host: int
    what: int
    bar: int
    form: int  # which of the forms of "how far"; 0 is the longest


def rows(activities: Sequence[Activity], *, width: int, moment: float, mark: Text) -> Iterator[Text]:
    """Yield a line for each activity; `mark` is what turns before those that run."""
    columns = _fit(activities, width, moment)
    idle = Text(" ·", style="dim")
    for activity in activities:
        row = Text(no_wrap=True, overflow="ellipsis")
        row.append_text(Text.assemble(" ", mark) if activity.running else idle).append(_GAP)
        if columns.host:
            row.append(activity.host.ljust(columns.host)).append(_GAP)
        row.append_text(_cut(_what(activity), columns.what)).append(_GAP)
        row.append_text(_bar(activity, columns.bar))
        row.append(_how_far(activity, moment)[columns.form], style="" if activity.total else "dim")
        row.truncate(width, overflow="ellipsis")
        row.rstrip()
        yield row


def _fit(activities: Sequence[Activity], width: int, moment: float) -> _Columns:
    """Share the width: the host always, then what and how far, then the bar; what is too much is left out."""
    host = max(len(activity.host) for activity in activities)
    what = max(_what(activity).cell_len for activity in activities)
    rest = width - 2 - 2 * len(_GAP) - (host + len(_GAP) if host else 0)
    for bar, form in ((_BAR, 0), (0, 0), (0, 1), (0, 2), (0, 3)):
        longest = max(len(_how_far(activity, moment)[form]) for activity in activities)
        room = rest - longest - (bar + 1 if bar else 0)
        if room >= min(what, _WHAT):
            break
    return _Columns(host, max(1, min(what, room)), bar, form)


def _what(activity: Activity) -> Text:
    what = Text(activity.title, style="" if activity.running else "dim")
    return what.append(f"{_GAP}{activity.detail}", style="dim") if activity.detail else what


def _cut(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis", pad=True)
    return text


def _bar(activity: Activity, width: int) -> Text:
    if not width or not activity.running or not activity.total:
        return Text()
    full = activity.sent * width // activity.total
    return Text.assemble(("━" * full, "cyan"), ("─" * (width - full), "dim"), " ")


def _how_far(activity: Activity, moment: float) -> tuple[str, str, str, str]:
    """Give how far it is in four forms, each shorter: a stream's bytes, rate and time left, or the time so far."""
    if not activity.running:
        return ("",) * 4
    elapsed = duration(moment - activity.since)
    if not activity.total:
        return (elapsed,) * 4
    percent = f"{activity.sent * 100 // activity.total} %"
    if activity.is_task:
        return (f"{percent} · {elapsed}", percent, percent, percent)
    sent = f"{size(activity.sent)} of {size(activity.total)}"
    speed = rate(activity.sent, activity.seconds)
    left = remaining(activity.sent, activity.total, seconds=activity.seconds)
    return (_joined(sent, speed, left), _joined(sent, speed), sent, percent)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
