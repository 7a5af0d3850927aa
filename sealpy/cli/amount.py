"""Amounts of bytes as people write them."""

from __future__ import annotations

import re

from sealpy.errors import ConfigError

__all__ = ["parse_size"]

_AMOUNT = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) ?(?P<unit>[kKMGT]?)(?P<binary>iB|i|B|)")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(text: str, *, option: str) -> int:
    """Read `4G`, `700MB` or `1.5GiB` as bytes; raises ConfigError that names the option.

    As on the label of a stick, G is 1000 M, so that `4G` fits on file systems that take files up to 4 GiB.
    """
    found = _AMOUNT.fullmatch(text)
    base = 1024 if found and found["binary"].startswith("i") else 1000
    amount = int(float(found["number"]) * base ** _POWERS[found["unit"].upper()]) if found else 0
    if amount < 1:
        raise ConfigError(f"{option} {text!r}: not an amount of bytes", hint="write 700M, 4G or 4GiB")
    return amount
