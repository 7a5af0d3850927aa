from __future__ import annotations

import pytest

from sealpy.cli.words import did_you_mean


@pytest.mark.parametrize(
    ("word", "answer"),
    [("aply", "did you mean 'apply'?"), ("imags", "did you mean 'images'?"), ("xyzzy", ""), ("", "")],
)
def test_the_nearest_right_word_is_named_when_there_is_one(word: str, answer: str) -> None:
    assert did_you_mean(word, ["apply", "images", "plan"]) == answer
