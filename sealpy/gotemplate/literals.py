"""Numbers and strings, as Go writes them."""

from __future__ import annotations

import re

__all__ = ["BadLiteralError", "number", "string"]


class BadLiteralError(ValueError):
    """Refuse a literal; the message goes on after the literal itself."""


_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{3})|x(?P<byte>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<sign>.))",
    re.DOTALL,
)
_OLD_OCTAL = re.compile(r"[+-]?0[0-7_]+")
_LAST_CODE = 0x10FFFF


def string(text: str) -> str:
    """Read a quoted or a raw string; raises BadLiteralError for an escape that Go does not know."""
    if text.startswith("`"):
        return text[1:-1].replace("\r", "")
    return _unescape(text[1:-1])


def number(text: str) -> int | float:
    """Read an integer in any base, a character or a decimal fraction; raises BadLiteralError."""
    if text.startswith("'"):
        return _character(text)
    try:
        return int(text, 8) if _OLD_OCTAL.fullmatch(text) else int(text, 0)
    except ValueError:
        pass
    try:
        return float.fromhex(text) if "x" in text.lower() else float(text)
    except ValueError:
        raise BadLiteralError("is no number") from None


def _character(text: str) -> int:
    content = _unescape(text[1:-1])
    if len(content) != 1:
        raise BadLiteralError("is more than one character")
    return ord(content)


def _unescape(text: str) -> str:
    # Bytes by octal and \x escapes may together be one character, so all is put together as bytes.
    parts: list[bytes] = []
    end = 0
    for match in _ESCAPE.finditer(text):
        parts += [text[end : match.start()].encode(), _escaped(match)]
        end = match.end()
    parts.append(text[end:].encode())
    return b"".join(parts).decode("utf-8", "replace")


def _escaped(match: re.Match[str]) -> bytes:
    if digits := match["short"] or match["long"]:
        code = int(digits, 16)
        if code > _LAST_CODE or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - the surrogates, which are no characters
            raise BadLiteralError(f"holds '{match[0]}', which is no character")
        return chr(code).encode()
    if match["byte"]:
        return bytes.fromhex(match["byte"])
    if match["octal"]:
        return bytes([int(match["octal"], 8) & 0xFF])
    if match["sign"] not in _SIMPLE:
        raise BadLiteralError(f"holds the unknown escape '{match[0]}'")
    return _SIMPLE[match["sign"]].encode()
