"""How far long work is."""

from __future__ import annotations

from sealpy.events import Event, TaskFinished, TaskProgress
from sealpy.image.progress import Progress


def test_progress_is_told_at_the_begin_at_the_end_and_not_too_often_between() -> None:
    seen: list[Event] = []
    now = [0.0]
    on_bytes = Progress(seen.append, "build x", clock=lambda: now[0]).step("COPY", total=100)
    for _ in range(10):
        now[0] += 0.03
        on_bytes(10)
    assert [event.done for event in seen if isinstance(event, TaskProgress)] == [0, 40, 80, 100]


def test_the_end_tells_the_seconds_and_what_came_of_it() -> None:
    seen: list[Event] = []
    now = [1.0]
    progress = Progress(seen.append, "build x", clock=lambda: now[0])
    now[0] = 3.5
    progress.finish("sha256:12")
    assert seen == [TaskFinished(task="build x", seconds=2.5, detail="sha256:12")]
