"""Which checks the command line leaves out."""

from __future__ import annotations

import pytest

from sealpy.cli.checks import skipped
from sealpy.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "ids"),
    [(None, set()), (["swap"], {"swap"}), (["swap, clock", "ways"], {"swap", "clock", "ways"}), ([""], set())],
)
def test_ids_come_alone_or_joined(words: list[str] | None, ids: set[str]) -> None:
    assert skipped(words) == ids


@pytest.mark.parametrize("word", ["connect", "root", "another-cluster"])
def test_what_everything_hangs_on_cannot_be_left_out(word: str) -> None:
    with pytest.raises(ConfigError, match=f"--skip: '{word}' cannot be left out"):
        skipped([word])


def test_an_id_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="there is no check 'cloks'") as caught:
        skipped(["swap", "cloks"])
    assert caught.value.hint == "did you mean 'clock'?"
