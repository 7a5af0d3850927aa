"""How the help of a command is written: its usage, its examples as they are typed, its options in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import cleandoc
from typing import Any

from sealpy.cli.placeholders import placeholder

__all__ = ["usage", "write_description", "write_parameters"]

_EXAMPLES = "Examples:"
_ARGUMENT = "argument"


def usage(command: Any, ctx: Any) -> list[str]:
    """Give what follows a command's name in its usage: `[OPTIONS] IMAGE [NAME]… --key FILE`."""
    needed = (param for param in _shown(command, ctx, arguments=False) if param.required)
    options = (f"{min(param.opts, key=len)} {placeholder(param, ctx)}" for param in needed)
    return ["[OPTIONS]", *(_in_usage(param, ctx) for param in _shown(command, ctx, arguments=True)), *options]


def write_description(text: str, formatter: Any) -> None:
    """Write the text before `Examples:` wrapped, and what follows it line by line."""
    text, heading, examples = cleandoc(text).replace("\b", "").partition(_EXAMPLES)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(text.rstrip())
    if heading:
        with formatter.section(_EXAMPLES.rstrip(":")):
            for line in filter(None, map(str.strip, examples.splitlines())):
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")


def write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    """Write arguments and options, each with what it takes, what it is for, and its default."""
    for heading, arguments in (("Arguments", True), ("Options", False)):
        rows = [(_in_table(param, ctx), _explained(param)) for param in _shown(command, ctx, arguments=arguments)]
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)


def _shown(command: Any, ctx: Any, *, arguments: bool) -> Iterator[Any]:
    params: Iterable[Any] = command.get_params(ctx)
    return (param for param in params if not param.hidden and (param.param_type_name == _ARGUMENT) is arguments)


def _in_usage(param: Any, ctx: Any) -> str:
    word = placeholder(param, ctx)
    return (word if param.required else f"[{word}]") + ("" if param.nargs == 1 else "…")


def _in_table(param: Any, ctx: Any) -> str:
    word = placeholder(param, ctx)
    if param.param_type_name == _ARGUMENT:
        return word
    spellings = sorted(param.opts, key=lambda spelling: spelling.startswith("--"))
    return f"{', '.join(spellings)} {word}".rstrip()


def _explained(param: Any) -> str:
    note = _note(param)
    return f"{param.help}  [{note}]" if note else param.help or ""


def _note(param: Any) -> str:
    """Tell that an option must be given, or what counts when it is not, where that says something."""
    value = param.default
    if param.required:
        return "" if param.param_type_name == _ARGUMENT else "required"
    if not param.show_default or value is None or value is False or value == "" or callable(value):
        return ""
    return f"default: {value:g}" if isinstance(value, float) else f"default: {value}"
