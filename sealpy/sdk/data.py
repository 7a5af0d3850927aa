"""Read the `data` of a plugin's document that is written line by line."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

__all__ = ["is_address", "numbered_lines"]


def numbered_lines(data: str) -> Iterator[tuple[int, list[str]]]:
    """Give the words of each line that is neither blank nor a comment, with the line's number from 1."""
    for number, line in enumerate(data.splitlines(), start=1):
        if words := line.partition("#")[0].split():
            yield number, words


def is_address(text: str) -> bool:
    """Tell whether this is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
