from __future__ import annotations

import pytest

from sealpy.cli.renderers.units import duration, rate, remaining, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_540_000, "1.5 MB"),
        (99_949_999, "99.9 MB"),
        (99_950_000, "100 MB"),
        (714_000_000, "714 MB"),
        (999_600_000, "1.0 GB"),
        (2_100_000_000, "2.1 GB"),
        (5_000_000_000_000_000, "5000 TB"),
    ],
)
def test_sizes_have_two_or_three_digits(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.04, "0.04 s"),
        (0.0949, "0.09 s"),
        (0.096, "0.1 s"),
        (6.6, "6.6 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3_599.7, "1 h 00 min"),
        (3_720, "1 h 02 min"),
    ],
)
def test_times_are_as_exact_as_a_person_wants_to_know(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_rate_is_unknown_before_any_time_has_passed() -> None:
    assert (rate(1_000_000, 0), rate(0, 1), rate(90_000_000, 1)) == ("", "", "90.0 MB/s")


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [(50, 100, 10, "10 s left"), (0, 100, 10, ""), (100, 100, 10, ""), (50, 0, 10, ""), (50, 100, 0, "")],
)
def test_the_time_left_is_told_when_it_is_known(done: int, total: int, seconds: float, text: str) -> None:
    assert remaining(done, total, seconds=seconds) == text
