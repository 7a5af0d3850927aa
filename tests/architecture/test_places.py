"""The places that have a marker are places of tests: one that has moved would be run where it is left out."""

from __future__ import annotations

from tests.conftest import PLACES, TESTS


def test_every_place_with_a_marker_is_there() -> None:
    assert [place for places in PLACES.values() for place in places if not (TESTS / place).exists()] == []
