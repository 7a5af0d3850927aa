"""A value that must not be seen: passwords and passphrases."""

from __future__ import annotations

from typing import Final, NoReturn

__all__ = ["Secret"]


class Secret:
    """Hold a value that shows itself as `***` everywhere but where it is asked for by `reveal()`.

    It is no `str`, so that no format string, join or JSON encoder can leak it by accident, and it cannot be pickled.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        """Give the value itself; call it at the last moment and do not keep the result."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere: refusing to pickle it")
