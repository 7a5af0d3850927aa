"""Options that take NAME=VALUE and may repeat."""

from __future__ import annotations

from collections.abc import Iterable

from sealpy.errors import ConfigError

__all__ = ["pairs"]


def pairs(words: Iterable[str], option: str) -> dict[str, str]:
    """Read the words of an option, the last of a name counts; raises ConfigError for one that is no such pair."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise ConfigError(f"{option} {word!r}: not NAME=VALUE", hint=f"write {option} {key or 'NAME'}=VALUE")
        found[key] = value
    return found
