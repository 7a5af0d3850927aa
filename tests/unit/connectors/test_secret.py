from __future__ import annotations

import json
import pickle

import pytest

from sealpy.connectors.secret import Secret
from sealpy.connectors.target import Target


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret("hunter2")),
        repr(Secret("hunter2")),
        f"{Secret('hunter2')}",
        f"{Secret('hunter2'):>10}",
        repr([Secret("hunter2")]),
        repr(Target(address="10.0.0.1", password=Secret("hunter2"))),
    ],
)
def test_it_never_shows_itself(shown: str) -> None:
    assert "hunter2" not in shown
    assert "***" in shown


def test_it_is_revealed_on_request_only() -> None:
    assert Secret("hunter2").reveal() == "hunter2"
    assert not isinstance(Secret("hunter2"), str)


def test_it_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError, match="refusing to pickle"):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError):
        json.dumps(Secret("hunter2"))


def test_it_is_equal_to_another_of_the_same_value_and_false_when_empty() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
