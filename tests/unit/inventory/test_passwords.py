"""Passwords that a Clusterfile names instead of holding them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.clusterfile import PasswordFrom
from sealpy.errors import ConfigError, Place
from sealpy.inventory.passwords import find_password


def found(literal: str, reference: PasswordFrom | None = None) -> str | None:
    secret = find_password(literal, reference)
    return secret.reveal() if secret else None


def test_what_is_written_is_the_password_and_nothing_is_none() -> None:
    assert found("geheim") == "geheim"
    assert found("") is None


def test_a_variable_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "geheim")
    assert found("", PasswordFrom("env", "SITE_PASSWORD")) == "geheim"


def test_a_file_holds_it_and_the_line_end_is_not_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pw").write_text(" geheim \n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert found("", PasswordFrom("file", str(tmp_path / "pw"))) == " geheim "
    assert found("", PasswordFrom("file", "~/pw")) == " geheim "


def test_a_command_prints_it() -> None:
    assert found("", PasswordFrom("command", "printf 'ge%s\\n' heim")) == "geheim"


@pytest.mark.parametrize(
    ("reference", "message", "hint"),
    [
        (PasswordFrom("env", "NOBODY_SET_IT"), "passwordFrom env 'NOBODY_SET_IT': the variable is not set", "export"),
        (PasswordFrom("file", "/nowhere"), "passwordFrom file '/nowhere': no such file or directory", "look at"),
        (
            PasswordFrom("file", "~nobody-here/x"),
            "passwordFrom file '~nobody-here/x': no such file or directory",
            "look",
        ),
        (PasswordFrom("command", "exit 3"), "passwordFrom command 'exit 3': ended with exit status 3", "by hand"),
        (PasswordFrom("file", "empty"), "passwordFrom file 'empty': there is nothing in it", "one line"),
        (PasswordFrom("command", "true"), "passwordFrom command 'true': there is nothing in it", "one line"),
        (PasswordFrom("file", "no-text"), "passwordFrom file 'no-text': what was found is no text", "UTF-8"),
    ],
)
def test_what_cannot_be_found_is_told_with_what_to_do(
    reference: PasswordFrom, message: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "no-text").write_bytes(b"\xff\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        find_password("", reference)
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_what_cannot_be_found_is_told_by_the_field_and_the_line_that_refer_to_it() -> None:
    with pytest.raises(ConfigError) as caught:
        find_password("", PasswordFrom("env", "NOBODY_SET_IT", Place("Clusterfile", 7)), field="sudoPasswdFrom")
    assert caught.value.message == "Clusterfile:7: sudoPasswdFrom env 'NOBODY_SET_IT': the variable is not set"


def test_what_a_failing_command_has_printed_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        find_password("", PasswordFrom("command", 'echo ge""heim; exit 1'))
    assert "geheim" not in caught.value.message


def test_a_command_does_not_read_our_standard_input() -> None:
    assert found("", PasswordFrom("command", "cat; echo geheim")) == "geheim"
