"""Every command is in the table, says in one line what it does, and shows by example how it is used."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import sealpy.cli.commands
from sealpy.cli.app import COMMANDS, app

NAMES = [entry.name for entry in COMMANDS]
FOLDER = Path(sealpy.cli.commands.__path__[0])


@cache
def load(name: str) -> Any:
    root: Any = get_command(app)
    return root.get_command(None, name)


def leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield path, command
        return
    for name, child in children.items():
        yield from leaves(child, f"{path} {name}")


@pytest.mark.parametrize("entry", COMMANDS, ids=NAMES)
def test_the_line_in_the_table_is_how_the_help_begins(entry: Any) -> None:
    assert load(entry.name).help.startswith(entry.help.removesuffix("."))


@pytest.mark.parametrize("name", NAMES)
def test_the_help_shows_examples_that_begin_with_the_command(name: str) -> None:
    for path, command in leaves(load(name), f"sealpy {name}"):
        text, _, examples = command.help.partition("Examples:")
        assert text.strip(), f"'{path}' does not say what it does"
        assert path in examples, f"the help of '{path}' has no 'Examples:' with '{path} …'"


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_argument_is_explained(name: str) -> None:
    for path, command in leaves(load(name), f"sealpy {name}"):
        silent = [param.name for param in command.params if not param.hidden and not param.help]
        assert not silent, f"'{path}' does not explain {silent}"


def test_every_module_of_the_folder_is_in_the_table() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert modules == {name.replace("-", "_") for name in NAMES}
