"""Read the `data` of a plugin's document that is written line by line."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator

__all__ = ["address_of", "covers", "hosts_problem", "is_address", "line_problems", "nearest_word", "numbered_lines"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def numbered_lines(data: str) -> Iterator[tuple[int, list[str]]]:
    """Give the words of each line that is neither blank nor a comment, with the line's number from 1."""
    for number, line in enumerate(data.splitlines(), start=1):
        if words := line.partition("#")[0].split():
            yield number, words


def line_problems(data: str, problem: Callable[[list[str]], str], *, form: str) -> Iterator[str]:
    """Say what `problem` finds wrong with the words of each line, or that there is none; `form` shows how one looks."""
    lines = [*numbered_lines(data)]
    for number, words in lines:
        if found := problem(words):
            yield f"data, line {number}: {found}"
    if not lines:
        yield f"data is empty: write one '{form}' a line"


def is_address(text: str) -> bool:
    """Tell whether this is an IP address."""
    return _address(text) is not None


def address_of(text: str) -> str:
    """Give an address as hosts are named: IPv6 in its shortest form. What is no address stays as it is."""
    found = _address(text)
    return str(found) if found else text


def hosts_problem(text: str) -> str:
    """Say what is wrong with a list of hosts such as `10.0.0.1,10.0.0.4-10.0.0.7`; empty when nothing is."""
    for item in text.split(","):
        ends = [_address(end) for end in item.split("-", 1)]
        first, last = ends[0], ends[-1]
        if first is None or last is None:
            return f"'{item}' is neither an IP address nor a range 'first-last'"
        if first.version != last.version or int(first) > int(last):
            return f"'{item}' is no range: write the lower address first"
    return ""


def covers(text: str, address: str) -> bool:
    """Tell whether an address is in a list of hosts that is in order."""
    host = _address(address)
    for item in text.split(","):
        ends = [_address(end) for end in item.split("-", 1)]
        first, last = ends[0], ends[-1]
        if not host or not first or not last or {first.version, last.version} != {host.version}:
            continue
        if int(first) <= int(host) <= int(last):
            return True
    return False


def nearest_word(word: str, known: tuple[str, ...]) -> str:
    """Give `; did you mean 'X'?` for the known word most like this one; empty when none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    folded = {other.casefold(): other for other in known}
    found = get_close_matches(word.casefold(), folded, n=1)
    return f"; did you mean '{folded[found[0]]}'?" if found else ""


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
