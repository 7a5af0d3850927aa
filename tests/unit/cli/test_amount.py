"""Amounts of bytes as people write them."""

from __future__ import annotations

import pytest

from sealpy.cli.amount import parse_size
from sealpy.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("4G", 4_000_000_000), ("700M", 700_000_000), ("700MB", 700_000_000), ("4GiB", 1 << 32), ("1.5K", 1500),
        ("512", 512), ("2 G", 2_000_000_000), ("1Ti", 1 << 40), ("10k", 10_000),
    ],
)  # fmt: skip
def test_amounts_are_read_as_on_the_label_of_a_stick(text: str, amount: int) -> None:
    assert parse_size(text, option="--part-size") == amount


@pytest.mark.parametrize("text", ["", "G", "0", "-1M", "4X", "1e9", "0.5"])
def test_what_is_no_amount_is_refused_by_the_option(text: str) -> None:
    with pytest.raises(ConfigError, match=f"--part-size '{text}': not an amount"):
        parse_size(text, option="--part-size")
