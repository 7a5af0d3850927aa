from __future__ import annotations

import io

import pytest

from sealpy.cli.renderers.plain import Plain
from sealpy.events import TaskFinished, TaskProgress, TransferProgress

MB = 1_000_000


@pytest.mark.parametrize(
    ("moments", "shown"),
    [
        pytest.param([(0, 1), (1, 20), (2, 40)], [1, 40], id="a line at most every two seconds"),
        pytest.param([(0, 1), (10, 5), (20, 9), (29, 11)], [1, 11], id="and every ten percent"),
        pytest.param([(0, 1), (31, 2), (62, 3)], [1, 2, 3], id="but a sign of life every thirty seconds"),
        pytest.param([(0, 1), (0.1, 100), (0.2, 100)], [1, 100], id="and the end, once"),
    ],
)
def test_progress_is_told_now_and_then(moments: list[tuple[float, int]], shown: list[int]) -> None:
    stream = io.StringIO()
    plain = Plain(stream)
    for moment, percent in moments:
        plain.show(
            TransferProgress(host="h", title="send", sent=percent * MB, total=100 * MB, seconds=moment), time=moment
        )
    assert [int(line.split(", ")[1].removesuffix(" %")) for line in stream.getvalue().splitlines()] == shown


@pytest.mark.parametrize(
    ("moments", "shown"),
    [
        pytest.param([(0, "a", 0), (0.2, "a", 100)], ["a"], id="a step that is over at once has one line"),
        pytest.param([(0, "a", 0), (0.1, "b", 0), (0.2, "c", 0)], ["a", "b", "c"], id="as each step has"),
        pytest.param(
            [(0, "a", 0), (3, "a", 50), (4, "a", 100)], ["a", "a, 50 %", "a, 100 %"], id="a long one has more"
        ),
        pytest.param([(0, "a", 0), (0.5, "b", 0), (2.1, "b", 100)], ["a", "b"], id="its time is its own"),
        pytest.param([(0, "a", 0), (2.4, "a", 100)], ["a", "a, 100 %"], id="and its end is told"),
        pytest.param(
            [(0, "a", 1), (0.5, "b", 2), (2.1, "c", 3)], ["a, 1 %", "c, 3 %"], id="stages of one count do not"
        ),
    ],
)
def test_a_task_shows_each_step_and_how_far_it_is_when_it_takes_long(
    moments: list[tuple[float, str, int]], shown: list[str]
) -> None:
    stream = io.StringIO()
    plain = Plain(stream)
    for moment, detail, percent in moments:
        plain.show(TaskProgress(task="build", detail=detail, done=percent, total=100), time=moment)
    plain.show(TaskFinished(task="build", seconds=1), time=9)
    assert stream.getvalue().splitlines() == [*(f"build: {text}" for text in shown), "build … 1.0 s"]
