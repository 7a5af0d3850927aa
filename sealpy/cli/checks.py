"""The option that leaves checks out, alike in every command that makes any."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

__all__ = ["SkipOption", "skipped"]

SkipOption = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="CHECK", help="Leave this check out; may repeat. `sealpy check --list` shows all."),
]


def skipped(words: Iterable[str] | None) -> frozenset[str]:
    """Read ids, several of them joined by commas or not; raises ConfigError for one that is none."""
    ids = [one.strip() for word in words or () for one in word.split(",") if one.strip()]
    if ids:
        from sealpy.actions.check import refuse_skips

        refuse_skips(ids)
    return frozenset(ids)
