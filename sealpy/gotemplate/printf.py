"""`printf`, as far as files of settings need it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sealpy.errors import counted
from sealpy.gotemplate.values import CallError, kind_of, shortest, shown

__all__ = ["printf", "quoted"]

_WIDEST = 10_000
_ASCII, _BASIC = 0x7F, 0xFFFF  # the last signs that are written by two and by four digits
_SURROGATES = range(0xD800, 0xE000)  # halves of signs, which are none themselves
_DIRECTIVE = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d+)?(?:\.(?P<precision>\d*))?(?P<verb>.|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Directive:
    """Be one `%…`; `precision` is -1 when none was written."""

    text: str
    flags: str
    width: int
    precision: int
    verb: str

    @classmethod
    def of(cls, match: re.Match[str]) -> _Directive:
        precision = match["precision"]
        return cls(
            match[0],
            match["flags"],
            int(match["width"] or 0),
            -1 if precision is None else int(precision or 0),
            match["verb"],
        )


def printf(form: object, *values: object) -> str:
    """Fill a form with values as Go does; where Go would write `%!d(string=x)`, raises CallError."""
    if not isinstance(form, str):
        raise CallError(f"the form must be text, not {kind_of(form)}")
    rest = iter(values)
    text = _DIRECTIVE.sub(lambda match: _filled(_Directive.of(match), rest), form)
    if left := len(list(rest)):
        raise CallError(f"{counted(left, 'value')} more than the form has places for")
    return text


def quoted(text: str) -> str:
    """Write text in double quotes as Go does."""
    return f'"{"".join(_escaped(sign) for sign in text)}"'


_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isprintable():
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code <= _ASCII else f"\\u{code:04x}" if code <= _BASIC else f"\\U{code:08x}"


def _filled(directive: _Directive, values: Iterator[object]) -> str:
    if directive.verb == "%":
        return "%"
    if max(directive.width, directive.precision) > _WIDEST:
        raise CallError(f"'{directive.text}' is wider than {_WIDEST}")
    writer = _WRITERS.get(directive.verb)
    if writer is None:
        raise CallError(f"'{directive.text}' is not offered; use one of %v %s %q %d %x %X %o %b %c %t %f %e %g")
    try:
        value = next(values)
    except StopIteration:
        raise CallError(f"'{directive.text}' has no value") from None
    text = writer(directive, value)
    if text is None:
        raise CallError(f"'{directive.text}' does not fit {kind_of(value)}")
    return _padded(directive, text, number=isinstance(value, int | float))


def _padded(directive: _Directive, text: str, *, number: bool) -> str:
    if "-" in directive.flags:
        return text.ljust(directive.width)
    if "0" in directive.flags and number:
        return text.zfill(directive.width)
    return text.rjust(directive.width)


def _signed(directive: _Directive, text: str) -> str:
    if text.startswith("-"):
        return text
    return ("+" if "+" in directive.flags else " " if " " in directive.flags else "") + text


def _any(directive: _Directive, value: object) -> str | None:
    text = shown(value)
    return _signed(directive, text) if _is_number(value) else text


def _text(directive: _Directive, value: object) -> str | None:
    if isinstance(value, str):
        return value if directive.precision < 0 else value[: directive.precision]
    return shown(value) if isinstance(value, Mapping | Sequence) and _only_text(value) else None


def _only_text(value: Mapping[str, object] | Sequence[object]) -> bool:
    return all(isinstance(item, str) for item in (value.values() if isinstance(value, Mapping) else value))


def _quote(_: _Directive, value: object) -> str | None:
    match value:
        case str():
            return quoted(value)
        case Sequence() if _only_text(value):
            return f"[{' '.join(quoted(str(item)) for item in value)}]"
        case _:
            return None


def _hexadecimal(directive: _Directive, value: object) -> str | None:
    match value:
        case str():
            return value.encode().hex().upper() if directive.verb == "X" else value.encode().hex()
        case _:
            return _whole(directive, value)


def _whole(directive: _Directive, value: object) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return _signed(directive, format(value, ("#" if "#" in directive.flags else "") + directive.verb))


def _fraction(directive: _Directive, value: object) -> str | None:
    if not isinstance(value, float):
        return None
    if directive.precision < 0 and directive.verb in "gG":
        return _signed(directive, shortest(value))
    return _signed(
        directive, format(value, f".{6 if directive.precision < 0 else directive.precision}{directive.verb}")
    )


def _character(_: _Directive, value: object) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return chr(value) if 0 <= value <= sys.maxunicode and value not in _SURROGATES else "\N{REPLACEMENT CHARACTER}"


def _truth(_: _Directive, value: object) -> str | None:
    return shown(value) if isinstance(value, bool) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_WRITERS: Mapping[str, Callable[[_Directive, object], str | None]] = {
    "v": _any,
    "s": _text,
    "q": _quote,
    **dict.fromkeys("dob", _whole),
    **dict.fromkeys("xX", _hexadecimal),
    **dict.fromkeys("feEgG", _fraction),
    "c": _character,
    "t": _truth,
}
