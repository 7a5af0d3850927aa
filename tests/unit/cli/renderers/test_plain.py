from __future__ import annotations

import io

import pytest

from sealpy.cli.renderers.plain import Plain
from sealpy.events import TransferProgress

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
