from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.cli.commands.lab import parse_memory
from sealpy.errors import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path))
    return tmp_path


Sealpy = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sealpy(capsys: pytest.CaptureFixture[str]) -> Sealpy:
    """Give a function that runs a command line and gives exit code, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        return run(words), *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    ("text", "size"),
    [("2G", 2 * 2**30), ("512M", 512 * 2**20), ("512Mi", 512 * 2**20), ("1.5gb", 1536 * 2**20), ("2097152", 2**21)],
)
def test_memory_is_written_as_people_write_it(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "G", "2T", "-1G", "2", "two"])
def test_memory_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not an amount of memory") as caught:
        parse_memory(text)

    assert "2G" in caught.value.hint


@pytest.mark.parametrize("command", ["up", "list", "ssh", "down"])
def test_every_command_shows_an_example(sealpy: Sealpy, command: str) -> None:
    code, out, _ = sealpy("lab", command, "--help")

    assert code == 0
    assert f"sealpy lab {command}" in out.partition("Examples:")[2]


def test_no_machines_are_told_with_what_to_type(sealpy: Sealpy) -> None:
    assert sealpy("lab", "list") == (0, "no machines; type: sealpy lab up --nodes 2\n", "")


def test_no_machines_are_an_empty_list_for_programs(sealpy: Sealpy) -> None:
    assert sealpy("lab", "list", "--output", "json") == (0, "[]\n", "")


@pytest.mark.parametrize("name", ["lab-7", "nonsense", "", "a b", "Web_1", "../x-1"])
def test_logging_in_to_a_machine_that_there_is_not_says_how_to_see_their_names(sealpy: Sealpy, name: str) -> None:
    code, _, err = sealpy("lab", "ssh", name)

    assert code == 3
    assert f"machine '{name}': there is none of this name" in err
    assert "sealpy lab list" in err


def test_a_number_of_processors_that_is_none_is_refused_before_anything_is_made(sealpy: Sealpy, home: Path) -> None:
    code, _, err = sealpy("lab", "up", "--cpus", "0")

    assert code == 2
    assert "--cpus '0.0'" in err
    assert list(home.iterdir()) == []


def test_a_lab_with_a_name_that_is_none_is_refused(sealpy: Sealpy) -> None:
    code, _, err = sealpy("lab", "down", "--name", "Big Lab")

    assert code == 2
    assert "not a name for a lab" in err
