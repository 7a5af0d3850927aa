"""Every command is in the table, says in one line what it does, and shows by example how it is used."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import sealpy.cli.commands
from sealpy.cli.app import COMMANDS, app, run
from sealpy.cli.output import Output
from sealpy.cli.placeholders import placeholder

NAMES = [entry.name for entry in COMMANDS]
FOLDER = Path(sealpy.cli.commands.__path__[0])
GOLDEN = Path(__file__).parents[1] / "golden" / "cli" / "help"

# One word for one thing: what the help calls that which an argument or an option takes.
GLOSSARY = {
    "APP": "an app of an image",
    "ARCH": "a processor, as Go names it",
    "CHECK": "a check of 'sealpy check --list'",
    "CLUSTER": "the name of a cluster",
    "COMMAND": "a command for a shell",
    "DIR": "a directory",
    "ENTRY": "an image that an index lists, by digest or platform",
    "FIELD": "a field of a Clusterfile",
    "FILE": "a file",
    "FORMAT:DEST": "a form of an image, and where it goes",
    "HOST,…": "machines to go through, each with its login",
    "HOSTS": "addresses and ranges of machines",
    "IMAGE": "the name of an image that is there",
    "INDEX": "the name of an image for several platforms",
    "LAB": "the name of a lab",
    "MACHINE": "a machine of a lab",
    "N": "a number",
    "NAME": "the name that something gets",
    "NAME=VALUE": "a name and what it stands for",
    "OS": "an operating system, as Go names it",
    "OTHER": "the name of a second image",
    "PASSPHRASE": "what unlocks a key",
    "PASSWORD": "a password",
    "PATH": "a file or a directory",
    "PATH=VALUE": "a field of a Clusterfile by its path, and its value",
    "PLATFORM": "platforms, by commas",
    "PLUGIN": "the file or directory of a plugin, or the name of an installed type",
    "POINT": "a hook point",
    "PORT": "a port",
    "REGISTRY": "the domain of an image registry",
    "REPOSITORY": "the name of images without their tags",
    "SECONDS": "a time",
    "SIZE": "an amount of bytes",
    "TEXT": "a text",
    "USER": "a name to log in by",
    "VARIANT": "a variant of a processor",
    "WORDS=TEXT": "how a command begins, and what it prints",
}


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


def typed(command: Any, path: str) -> Iterator[list[str]]:
    """Give the words after the command in each of its examples, as a shell would hand them over."""
    for line in command.help.partition("Examples:")[2].splitlines():
        _, called, rest = line.partition(path)
        if called:
            yield shlex.split(re.split(r" [<>] |\)", rest)[0])


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_a_command_line_that_can_be_typed(name: str) -> None:
    for path, command in leaves(load(name), f"sealpy {name}"):
        for words in typed(command, path):
            command.make_context(path, [*words], obj=Output(), **command.context_settings)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_argument_is_explained(name: str) -> None:
    for path, command in leaves(load(name), f"sealpy {name}"):
        silent = [param.name for param in command.params if not param.hidden and not param.help]
        assert not silent, f"'{path}' does not explain {silent}"


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_called_by_a_word_of_the_glossary_or_by_what_it_may_be(name: str) -> None:
    for path, command in leaves(load(name), f"sealpy {name}"):
        words = {param.name: placeholder(param, None) for param in command.params}
        strange = {
            parameter: word
            for parameter, word in words.items()
            if word and word not in GLOSSARY and not re.fullmatch(r"<[a-z-]+(\|[a-z-]+)*>", word)
        }
        assert not strange, f"'{path}' calls a value by a word of its own: {strange}"


def test_the_glossary_has_no_word_that_nobody_says() -> None:
    said = {
        placeholder(param, None) for name in NAMES for _, command in leaves(load(name), "") for param in command.params
    }
    assert set(GLOSSARY) - said == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_help_is_as_recorded(
    name: str, golden: Callable[[Path, str], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for path, _ in leaves(load(name), name):
        assert run([*path.split(), "--help"]) == 0
        golden(GOLDEN / f"{path.replace(' ', '-')}.txt", capsys.readouterr().out)


def test_every_module_of_the_folder_is_in_the_table() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert modules == {name.replace("-", "_") for name in NAMES}
