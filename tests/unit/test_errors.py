from __future__ import annotations

import pytest

from sealpy.errors import counted, did_you_mean, known_words, nearest


@pytest.mark.parametrize(
    ("word", "near"),
    [("aply", "apply"), ("imags", "images"), ("APPLY", "apply"), ("preinit", "PreInit"), ("xyzzy", ""), ("", "")],
)
def test_the_nearest_right_word_is_found_whatever_the_case_when_there_is_one(word: str, near: str) -> None:
    known = ["apply", "images", "plan", "PreInit"]

    assert nearest(word, known) == near
    assert did_you_mean(word, known) == (f"did you mean '{near}'?" if near else "")


def test_where_no_word_is_near_all_are_listed() -> None:
    assert known_words(["plan", "apply"]) == "known here: apply, plan"
    assert known_words([]) == ""


def test_one_thing_is_told_as_one() -> None:
    assert [counted(count, "host") for count in (0, 1, 2)] == ["0 hosts", "1 host", "2 hosts"]
