from __future__ import annotations

import base64
import json
import shlex
from dataclasses import dataclass

import pytest

from sealpy.cli.redaction import MASK, Secrets

PASSWORD = "pa's$w\"ör\\d"


@pytest.fixture
def secrets() -> Secrets:
    secrets = Secrets()
    secrets.add(PASSWORD)
    return secrets


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(PASSWORD, id="as it is"),
        pytest.param(json.dumps(PASSWORD), id="in JSON"),
        pytest.param(repr(PASSWORD), id="as Python shows it"),
        pytest.param(shlex.quote(PASSWORD), id="quoted for a shell"),
        pytest.param("pa%27s%24w%22%C3%B6r%5Cd", id="in a URL"),
        pytest.param(base64.b64encode(PASSWORD.encode()).decode(), id="in base64"),
    ],
)
def test_a_secret_is_blotted_out_in_each_spelling(secrets: Secrets, spelling: str) -> None:
    assert secrets.clean(f"before {spelling} after").replace('"', "").replace("'", "") == f"before {MASK} after"


def test_the_longest_secret_goes_first_so_that_no_rest_of_it_remains() -> None:
    secrets = Secrets()
    secrets.add("token")
    secrets.add("token-of-the-cluster")
    assert secrets.clean("token-of-the-cluster token") == f"{MASK} {MASK}"


@pytest.mark.parametrize("value", ["", "a", "abc"])
def test_a_value_shorter_than_four_characters_is_not_sought(value: str) -> None:
    secrets = Secrets()
    secrets.add(value)
    assert secrets.clean("abc") == "abc"


def test_each_line_of_a_key_is_a_secret_because_output_comes_line_by_line() -> None:
    secrets = Secrets()
    secrets.add("-----BEGIN KEY-----\nbm90IGEga2V5\n-----END KEY-----\n")
    assert secrets.clean("read: bm90IGEga2V5") == f"read: {MASK}"


@dataclass(frozen=True)
class Message:
    text: str
    parts: tuple[str, ...]
    more: dict[str, list[str]]
    number: int = 3


def test_data_is_cleaned_however_deep(secrets: Secrets) -> None:
    dirty = Message(PASSWORD, ("a", PASSWORD), {PASSWORD: [PASSWORD]})
    assert secrets.clean_data(dirty) == Message(MASK, ("a", MASK), {MASK: [MASK]})


def test_without_secrets_data_is_given_back_as_it_is() -> None:
    message = Message("text", (), {})
    assert Secrets().clean_data(message) is message
