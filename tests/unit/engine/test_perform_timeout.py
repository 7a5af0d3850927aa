"""A step that takes too long is told by its title, never by the words of its command."""

from __future__ import annotations

import pytest

from sealpy.engine import Connections, Executor, Journal
from sealpy.errors import CommandTimeoutError
from sealpy.sdk import Ask, Run, Steps
from sealpy.testing.connector import FakeConnector


@pytest.mark.parametrize("kind", [Ask, Run])
def test_a_step_that_takes_too_long_is_told_by_its_title(kind: type[Ask | Run]) -> None:
    machine = FakeConnector().on("login", seconds=10)

    def steps(_: str) -> Steps:
        yield kind("log in", "login", "--token", "hunter2", timeout=5.0, sensitive=True)

    executor = Executor(
        Connections(lambda _: machine), emit=lambda _: None, journal=Journal(None, run="r", action="apply")
    )
    error = executor.fan_out("phase", ("10.0.0.1",), steps).errors["10.0.0.1"]
    assert isinstance(error, CommandTimeoutError)
    assert error.message == "10.0.0.1: 'log in' was ended because it took longer than 5 s"
