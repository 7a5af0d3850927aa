from __future__ import annotations

import pytest

from sealpy.errors import ConnectError
from sealpy.sdk import Result
from sealpy.testing.connector import Asked, FakeConnector


def test_it_succeeds_silently_unless_told_otherwise() -> None:
    assert FakeConnector().run(("rm", "-rf", "/")) == Result()


def test_an_answer_counts_for_every_command_that_begins_with_its_words() -> None:
    fake = FakeConnector().on("kubeadm", "init", stdout="done\n").on("test", exit_status=1, stderr="no")

    assert fake.run(("kubeadm", "init", "--config", "x")).text == "done"
    assert fake.run(("kubeadm", "reset")) == Result()
    assert fake.run(("test", "-f", "/x")) == Result(exit_status=1, stderr=b"no")


def test_the_last_rule_that_fits_counts() -> None:
    fake = FakeConnector().on("kubectl", stdout="any").on("kubectl", "get", stdout="get")

    assert fake.run(("kubectl", "get", "nodes")).text == "get"
    assert fake.run(("kubectl", "apply")).text == "any"


def test_answers_come_in_a_row_and_the_last_one_stays() -> None:
    fake = FakeConnector().on("is-it-up", answers=[Result(exit_status=1), Result(stdout=b"up")])

    assert [fake.run(("is-it-up",)).ok for _ in range(3)] == [False, True, True]


def test_an_answer_may_be_an_error_or_computed() -> None:
    fake = FakeConnector().on("lost", answers=[ConnectError("10.0.0.1", "connection lost")])
    fake.on("cat", answers=[lambda asked: Result(stdout=asked.stdin)])

    with pytest.raises(ConnectError, match="connection lost"):
        fake.run(("lost",))
    assert fake.run(("cat",), stdin=b"text").stdout == b"text"


def test_it_remembers_what_it_was_asked() -> None:
    fake = FakeConnector()
    fake.run(("tee", "/x"), stdin=b"text", env=[("A", "1")])
    fake.stream(("tar", "-x"), [b"ab", b"c"])

    assert fake.asked == [
        Asked(argv=("tee", "/x"), stdin=b"text", env=(("A", "1"),)),
        Asked(argv=("tar", "-x"), stdin=b"abc"),
    ]
    assert fake.commands == [("tee", "/x"), ("tar", "-x")]


def test_it_can_insist_that_nothing_else_is_run() -> None:
    fake = FakeConnector(default=None).on("true")

    fake.run(("true",))
    with pytest.raises(AssertionError, match="no answer is scripted"):
        fake.run(("false",))
