"""`--output` where a command writes a file itself: text and json are styles there too, the rest is for the command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sealpy.cli.settings import Style

__all__ = ["without_styles"]


def without_styles(ctx: Any, values: Iterable[str]) -> list[str]:
    """Take the words that name a style, as everywhere, and give the others; a file of such a name is `./json`."""
    others = []
    for value in values:
        if value in set(Style):
            ctx.obj.configure(style=Style(value))
        else:
            others.append(value)
    return others
