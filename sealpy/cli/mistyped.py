"""What typer says of the words on the command line, in our manner: lower case, the nearest right word, the way out."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import typer

__all__ = ["ours"]

_TOO_MANY: Final = "Got unexpected extra argument"  # how typer begins to say so
_ADDRESSES: Final = re.compile(r"(?:\d+\.\d+\.\d+\.[\d.,-]+ ?)+")


def ours(error: BaseException, arguments: Sequence[str], *, commands: Collection[str]) -> BaseException:
    """Give an error of the words on the command line as one of ours; others stay what they are."""
    usage: Any = typer.BadParameter.__mro__[1]  # UsageError: typer shows only its child
    if not isinstance(error, usage):
        return error
    from sealpy.errors import ConfigError

    named = next((word for word in arguments if word in commands), "")
    path = error.ctx.command_path if error.ctx else f"sealpy {named}".rstrip()
    told = ConfigError(_sentence(error), hint=_usage(error) or f"see '{path} --help'")
    told.__cause__ = error
    return told


def _usage(error: Any) -> str:
    """Give all that a command needs where some of it is missing, or an argument is not what it should be."""
    if hosts := _ADDRESSES.fullmatch(_surplus(error)):
        return f"hosts are one word, with commas: …,{hosts[0].replace(' ', ',')}"
    param = getattr(error, "param", None)
    missing = hasattr(error, "param_type")  # which no other error of click has
    wrong = missing or getattr(param, "param_type_name", "") == "argument" or error.message.startswith(_TOO_MANY)
    if not error.ctx or not wrong:
        return ""
    path = error.ctx.command_path
    words = error.ctx.get_usage().removeprefix("Usage: ").replace(" [OPTIONS]", "")
    return f"type: {' '.join(words.split())}; '{path} --help' explains it"


def _surplus(error: Any) -> str:
    """Give the words that nothing asked for, blanks between them; empty for other errors."""
    return error.message.rpartition("(")[2].rstrip(")") if error.message.startswith(_TOO_MANY) else ""


def _sentence(error: Any) -> str:
    """Give the message of a usage error in our manner: lower case, the nearest right word, no full stop."""
    near = getattr(error, "possibilities", None)
    if error.message.startswith(_TOO_MANY):
        return f"too many words: '{_surplus(error)}'"
    message = error.message + f"; did you mean '{near[0]}'?" if near else error.format_message().rstrip(".")
    if number := _not_the_number(error.__cause__):
        message = message.replace(error.message, number)
    words = " ".join(message.split()).replace("Value error, ", "").replace(". Choose from: ", ", one of ")
    return words[:1].lower() + words[1:]


def _not_the_number(cause: Any) -> str:
    """Say what is wrong with a number, which pydantic has read for typer; empty for other errors."""
    found = cause.errors()[0] if hasattr(cause, "errors") else {}
    match found:
        case {"type": "int_parsing" | "int_from_float" | "float_parsing", "input": typed}:
            return f"'{typed}' is not a{' whole' if found['type'].startswith('int') else ''} number"
        case {"type": "less_than_equal", "input": typed, "ctx": {"le": most}}:
            return f"{typed} is more than {most:g}"
        case {"type": "greater_than_equal", "input": typed, "ctx": {"ge": least}}:
            return f"{typed} is less than {least:g}"
        case _:
            return ""
