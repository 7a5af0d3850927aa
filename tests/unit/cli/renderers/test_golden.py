"""Recorded runs and what each renderer makes of them.

A case is a directory of tests/golden/render with `events.jsonl`, the very lines that `--output json` writes;
`plain.txt`, `verbose.txt`, `quiet.txt`, `log.txt` and `live.txt` are what people read.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sealpy import events
from sealpy.cli.renderers import Renderer
from sealpy.cli.renderers.jsonl import JsonLines
from sealpy.cli.renderers.live import Live
from sealpy.cli.renderers.logfile import LogFile
from sealpy.cli.renderers.plain import Plain
from sealpy.cli.settings import Detail

GOLDEN = Path(__file__).parents[3] / "golden" / "render"
CASES = sorted(path.name for path in GOLDEN.iterdir())
KINDS: dict[str, type[events.Event]] = {kind.name: kind for kind in events.Event.__subclasses__()}

Golden = Callable[[Path, str], None]
Recorded = list[tuple[events.Event, float]]


def recorded(case: str) -> Recorded:
    return [_event(json.loads(line)) for line in (GOLDEN / case / "events.jsonl").read_text().splitlines()]


def _event(line: dict[str, Any]) -> tuple[events.Event, float]:
    moment = datetime.fromisoformat(line["time"]).timestamp()
    kind = KINDS[line["event"]]
    return kind(**{f.name: _frozen(line[f.name]) for f in fields(kind) if f.name in line}), moment


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def feed(renderer: Renderer, case: str) -> None:
    for event, moment in recorded(case):
        renderer.show(event, time=moment)
    renderer.close()


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("detail", "file"), [(Detail.NORMAL, "plain.txt"), (Detail.VERBOSE, "verbose.txt"), (Detail.QUIET, "quiet.txt")]
)
def test_plain_lines_are_as_recorded(case: str, detail: Detail, file: str, golden: Golden) -> None:
    stream = io.StringIO()
    feed(Plain(stream, detail=detail), case)
    golden(GOLDEN / case / file, stream.getvalue())


def test_json_lines_are_the_recorded_lines_themselves(case: str, golden: Golden) -> None:
    stream = io.StringIO()
    feed(JsonLines(stream), case)
    golden(GOLDEN / case / "events.jsonl", stream.getvalue())


def test_the_log_file_holds_every_event_with_its_time(case: str, golden: Golden, tmp_path: Path) -> None:
    feed(LogFile(tmp_path / "run.log"), case)
    golden(GOLDEN / case / "log.txt", (tmp_path / "run.log").read_text())


def test_the_live_screen_shows_each_moment(case: str, golden: Golden) -> None:
    """One picture of the moving part after each event that changed it, then what stays on the screen."""
    console = Console(file=io.StringIO(), width=96, height=24, force_terminal=False, _environ={})
    moment = 0.0
    live = Live(io.StringIO(), console=console, clock=lambda: moment)
    frames = []
    for event, moment in recorded(case):
        live.show(event, time=moment)
        with console.capture() as picture:
            console.print(live.picture())
        frames.append(picture.get().rstrip())
    live.close()
    changed = [frame for frame, before in zip(frames, ["", *frames], strict=False) if frame and frame != before]
    lasting = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    golden(GOLDEN / case / "live.txt", "\n\n".join(changed) + "\n\n=== what stays ===\n" + lasting)
