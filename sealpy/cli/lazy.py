"""A root command that imports a command only when it is called: `sealpy --help` reads a table instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final

from typer import BadParameter, echo
from typer.core import TyperCommand, TyperGroup
from typer.main import Typer, get_command, get_group

from sealpy.cli.helptext import usage, write_description, write_parameters
from sealpy.cli.placeholders import placeholder

__all__ = ["Entry", "LazyGroup", "SealpyCommand", "SealpyGroup"]

_ALIASES = {"join": "scale-up"}  # older names, which the help does not show
_PLACES: Final = frozenset({"DIR", "FILE", "PATH"})


@dataclass(frozen=True, slots=True)
class Entry:
    """Name a command, say in one line what it does, and under which heading it stands in the help.

    The module `sealpy.cli.commands.<name>` holds a function `command`, or a Typer `app` with commands of its own.
    """

    name: str
    help: str
    section: str


class SealpyCommand(TyperCommand):
    """Show help with the examples as they were written, and one word for one thing."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Give the words of the usage."""
        return usage(self, ctx)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is click's
        """Write what the command does, then examples."""
        write_description(self.help or "", formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        write_parameters(self, ctx, formatter)


class SealpyGroup(TyperGroup):
    """Show help likewise, also when no command is named; name the nearest command for a wrong one."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Give the words of the usage."""
        return [*usage(self, ctx), "COMMAND …"]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is click's
        """Write what the commands are for, then examples."""
        write_description(self.help or "", formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        write_parameters(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the words call, or name the nearest one."""
        if args and not args[0].startswith("-") and not ctx.resilient_parsing and not self.get_command(ctx, args[0]):
            from sealpy.errors import did_you_mean

            near = did_you_mean(args[0], self.list_commands(ctx))
            ctx.fail(f"no command '{args[0]}'" + (f"; {near}" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Call the command that is named; without one show which there are, as kubectl and docker do."""
        result = super().invoke(ctx)
        if ctx.invoked_subcommand is None:
            echo(ctx.get_help())
        return result

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is click's
        """Write each command with the first line of its help."""
        with formatter.section("Commands"):
            formatter.write_dl(self.children())

    def children(self) -> list[tuple[str, str]]:
        """Give the commands, each with the first line of its help."""
        return [(name, (child.help or "").split("\n", 1)[0]) for name, child in self.commands.items()]


class LazyGroup(SealpyGroup):
    """Know every command by a table, and import the one that is called."""

    entries: Sequence[Entry] = ()
    options: Callable[[], list[Any]] = staticmethod(list)  # fresh global options, accepted after a command too

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Give the names in the order of the table."""
        return [entry.name for entry in self.entries]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is click's
        """Import a command by its name; None when there is none of that name."""
        cmd_name = _ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in {entry.name for entry in self.entries}:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = self._load(cmd_name)
        return self.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is click's
        """Write the table under its headings; nothing is imported for it."""
        width = max(len(entry.name) for entry in self.entries)
        for section in dict.fromkeys(entry.section for entry in self.entries):
            rows = [(entry.name.ljust(width), entry.help) for entry in self.entries if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def children(self) -> list[tuple[str, str]]:
        """Give the commands from the table; nothing is imported for it."""
        return [(entry.name, entry.help) for entry in self.entries]

    def _load(self, name: str) -> Any:
        module = import_module(f"sealpy.cli.commands.{name.replace('-', '_')}")
        if hasattr(module, "app"):
            loaded: Any = get_group(module.app)
        else:
            single = Typer(add_completion=False, rich_markup_mode=None)
            single.command(name, cls=SealpyCommand)(module.command)
            loaded = get_command(single)
        loaded.name = name
        self._equip(loaded)
        return loaded

    def _equip(self, command: Any) -> None:
        """Give a command, and those below it, plain help and the global options that it does not define itself."""
        command.rich_markup_mode = None
        command.no_args_is_help = False
        command.invoke_without_command = True
        for child in getattr(command, "commands", {}).values():
            self._equip(child)
        for param in command.params:
            if placeholder(param, None) in _PLACES and param.default != "":
                param.process_value = partial(_place, param, param.process_value)
        taken = {spelling for param in command.params for spelling in (*param.opts, *param.secondary_opts)}
        for option in self.options():
            option.opts = [spelling for spelling in option.opts if spelling not in taken]
            if option.opts:
                command.params.append(option)


def _place(param: Any, read: Callable[[Any, Any], Any], ctx: Any, value: Any) -> Any:
    """Read a path, but refuse an empty one, as of a variable that is not set: it would be the current directory."""
    if value == "" or (isinstance(value, list | tuple) and "" in value):
        raise BadParameter("nothing is named", ctx=ctx, param=param)
    return read(ctx, value)
