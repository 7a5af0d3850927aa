"""What is asked of who sits at the terminal, and what is said to an answer that does not do."""

from __future__ import annotations

import getpass
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from sealpy.cli.app import run
from sealpy.cli.asking import ask, ask_new_secret, ask_secret, is_wanted

Capture = pytest.CaptureFixture[str]


class Keyboard(io.StringIO):
    """Be a terminal on which these lines are typed; behind them Ctrl-D."""

    def isatty(self) -> bool:
        return True


class Interrupted(Keyboard):
    def readline(self, _size: int | None = -1, /) -> Any:
        raise KeyboardInterrupt


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Type lines, also where nobody sees them."""

    def typed(*lines: str, keyboard: Callable[[str], Keyboard] = Keyboard) -> None:
        keys = keyboard("".join(f"{line}\n" for line in lines))

        def hidden(_prompt: str = "") -> str:
            if not (line := keys.readline()):
                raise EOFError
            return line.rstrip("\n")

        monkeypatch.setattr("sys.stdin", keys)
        monkeypatch.setattr(getpass, "getpass", hidden)

    return typed


@pytest.mark.parametrize(("answer", "wanted"), [("y", True), (" YES ", True), ("", False), ("n", False), ("No", False)])
def test_yes_is_yes_and_nothing_is_no(answer: str, wanted: bool, type_: Callable[..., None]) -> None:  # noqa: FBT001
    type_(answer)
    assert is_wanted("go on?") is wanted


def test_an_answer_that_is_neither_yes_nor_no_is_asked_for_again(type_: Callable[..., None], capsys: Capture) -> None:
    type_("perhaps", "y")
    assert is_wanted("go on?")
    assert capsys.readouterr().err == "go on? [y/N]: answer y or n\ngo on? [y/N]: "


def test_a_word_is_asked_for_until_there_is_one(type_: Callable[..., None], capsys: Capture) -> None:
    type_("", "ann")
    assert ask("user") == "ann"
    assert capsys.readouterr().err == "user: nothing was typed\nuser: "


def test_a_new_secret_is_typed_twice_and_again_while_the_two_differ(
    type_: Callable[..., None], capsys: Capture
) -> None:
    type_("one", "two", "three", "three")
    assert ask_new_secret("passphrase") == "three"
    assert capsys.readouterr().err == "the two are not the same: type both again\n"


@pytest.mark.parametrize("keyboard", [Keyboard, Interrupted])
@pytest.mark.parametrize("question", [is_wanted, ask, ask_secret, ask_new_secret])
def test_who_ends_the_input_gets_the_next_message_on_a_line_of_its_own(
    question: Callable[[str], object], keyboard: type[Keyboard], type_: Callable[..., None], capsys: Capture
) -> None:
    type_(keyboard=keyboard)
    with pytest.raises(typer.Abort):
        question("what")
    assert capsys.readouterr().err.endswith("\n")


def test_keygen_says_in_our_words_that_two_passphrases_differ(
    type_: Callable[..., None], capsys: Capture, tmp_path: Path
) -> None:
    type_("one", "two", "three", "three")
    assert run(["keygen", str(tmp_path / "key")]) == 0
    assert capsys.readouterr().err == "the two are not the same: type both again\n"
