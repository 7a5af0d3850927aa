from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from sealpy.engine import Connections, Executor, Journal, Phase
from sealpy.errors import (
    CommandError,
    ConnectError,
    InterruptedRunError,
    KubeError,
    NotReadyError,
    SealpyError,
    TransferError,
)
from sealpy.events import Event, StepFinished, StepOutput, StepRetrying, TransferProgress
from sealpy.sdk import Ask, Call, Fetch, On, Put, Result, Run, Send, Steps, Wait
from sealpy.testing.connector import FakeConnector

A, B = "10.0.0.1", "10.0.0.2"


class Bench:
    """Two fake machines, an executor on them, and everything it said."""

    def __init__(self, *, rehearsal: bool = False) -> None:
        self.machines = {address: FakeConnector(address) for address in (A, B)}
        self.events: list[Event] = []
        self.executor = Executor(
            Connections(self.machines.__getitem__),
            emit=self.events.append,
            journal=Journal(None, run="r", action="apply"),
            rehearsal=rehearsal,
        )

    def drive(self, steps: Callable[[str], Steps], *hosts: str) -> dict[str, object]:
        outcomes = self.executor.fan_out("phase", hosts or (A,), steps)
        for error in outcomes.errors.values():
            raise error
        return dict(outcomes.values)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def rehearsal() -> Bench:
    return Bench(rehearsal=True)


class Bytes:
    size = 3

    def chunks(self) -> list[bytes]:
        return [b"abc"]


def every_changing_step(_host: str) -> Steps:
    yield Run("run", "change", "it")
    yield Put("put", "/etc/motd", b"hello")
    yield Send("send", "tar", "-x", payload=Bytes())
    yield Call("call", lambda: 42)


def test_a_generator_receives_the_result_of_each_step_and_its_return_value_is_kept(bench: Bench) -> None:
    bench.machines[A].on("cat", stdout="text\n")

    def steps(_host: str) -> Steps:
        answer: Result = yield Fetch("read", "/etc/file")
        return answer.text

    assert bench.drive(steps) == {A: "text"}
    assert bench.machines[A].commands == [("cat", "--", "/etc/file")]


def test_a_failing_ask_is_an_answer_and_a_failing_run_an_error_with_the_last_lines(bench: Bench) -> None:
    lines = "\n".join(f"line {number}" for number in range(30))
    bench.machines[A].on("false", exit_status=7, stderr=lines)

    def asks(_host: str) -> Steps:
        answer: Result = yield Ask("ask", "false")
        return answer.exit_status

    assert bench.drive(asks) == {A: 7}

    def runs(_host: str) -> Steps:
        yield Run("do it", "false")

    with pytest.raises(CommandError) as raised:
        bench.drive(runs)
    assert raised.value.message == "10.0.0.1: 'do it' failed with exit status 7"
    assert raised.value.tail == tuple(f"line {number}" for number in range(20, 30))


def test_the_output_of_a_sensitive_command_is_neither_shown_nor_in_its_error(bench: Bench) -> None:
    bench.machines[A].on("false", exit_status=1, stdout="the secret")

    def steps(_host: str) -> Steps:
        yield Run("do it", "false", sensitive=True)

    with pytest.raises(CommandError) as raised:
        bench.drive(steps)
    assert "the secret" not in "".join(raised.value.tail)
    assert not bench.of(StepOutput)


def test_an_error_is_thrown_into_the_generator_so_that_it_can_clean_up(bench: Bench) -> None:
    bench.machines[A].on("false", exit_status=1)

    def steps(_host: str) -> Steps:
        try:
            yield Run("fails", "false")
        except CommandError:
            yield Run("clean up", "true")
            return "recovered"

    assert bench.drive(steps) == {A: "recovered"}
    assert bench.machines[A].commands == [("false",), ("true",)]


def test_one_failing_host_does_not_stop_the_others(bench: Bench) -> None:
    bench.machines[A].on("do", exit_status=1)

    def steps(_host: str) -> Steps:
        yield Run("do", "do")
        yield Run("more", "more")

    outcomes = bench.executor.fan_out("phase", (A, B), steps)
    assert list(outcomes.errors) == [A]
    assert list(outcomes.values) == [B]
    assert bench.machines[B].commands == [("do",), ("more",)]


def test_a_bug_in_a_phase_is_raised_as_it_is(bench: Bench) -> None:
    def steps(_host: str) -> Steps:
        yield Run("do", "do")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bench.executor.fan_out("phase", (A,), steps)


def test_on_addresses_a_step_to_another_host(bench: Bench) -> None:
    def steps(_host: str) -> Steps:
        yield On(B, Run("over there", "hostname"))

    bench.drive(steps)
    assert bench.machines[A].commands == []
    assert bench.machines[B].commands == [("hostname",)]
    assert [event.host for event in bench.of(StepFinished) if isinstance(event, StepFinished)] == [B]


def test_no_more_hosts_are_worked_on_at_once_than_allowed(bench: Bench) -> None:
    working, most = set[str](), 0
    guard = threading.Lock()

    def steps(host: str) -> Steps:
        nonlocal most
        with guard:
            working.add(host)
            most = max(most, len(working))
        yield Ask("ask", "true")
        with guard:
            working.remove(host)

    bench.executor.fan_out("phase", (A, B), steps, at_once=1)
    assert most == 1


def test_a_put_changes_only_what_differs(bench: Bench) -> None:
    bench.machines[A].on("sh", answers=[Result(stdout=b"written\n"), Result(stdout=b"same\n")])

    def steps(_host: str) -> Steps:
        yield Put("first", "/etc/motd", b"hello")
        yield Put("second", "/etc/motd", b"hello")

    bench.drive(steps)
    assert [event.changed for event in bench.of(StepFinished) if isinstance(event, StepFinished)] == [True, False]
    assert bench.executor.changed == 1
    assert bench.machines[A].asked[0].stdin == b"hello"


def test_a_send_tells_its_progress_and_a_failed_one_how_to_go_on(bench: Bench) -> None:
    def steps(_host: str) -> Steps:
        yield Send("send", "tar", payload=Bytes())

    bench.drive(steps)
    (told,) = bench.of(TransferProgress)
    assert isinstance(told, TransferProgress)
    assert (told.sent, told.total) == (3, 3)
    assert bench.executor.sent == 3

    bench.machines[A].on("tar", exit_status=2, stderr="disk full")
    with pytest.raises(TransferError, match="disk full"):
        bench.drive(steps)


def test_a_wait_looks_again_and_ends_with_what_it_saw_last(bench: Bench) -> None:
    seen = ["not yet", "nearly", ""]

    def waits(_host: str) -> Steps:
        yield Wait("it is so", probe=lambda: seen.pop(0), pause=0)

    bench.drive(waits)
    reasons = [event.reason for event in bench.of(StepRetrying) if isinstance(event, StepRetrying)]
    assert reasons == ["not yet", "nearly"]

    def never(_host: str) -> Steps:
        yield Wait("it is so", probe=lambda: "still not", timeout=0, pause=0)

    with pytest.raises(NotReadyError, match="it is so: not so after 0 s; last seen: still not"):
        bench.drive(never)


def test_a_call_gives_its_value_and_raises_its_error(bench: Bench) -> None:
    def refuse() -> None:
        raise KubeError("refused")

    def steps(_host: str) -> Steps:
        answer: Result = yield Call("call", lambda: 42)
        yield Call("refuse", refuse)
        return answer.value

    with pytest.raises(KubeError):
        bench.drive(steps)


def test_an_interrupted_run_begins_no_further_step_but_lets_the_generator_end(bench: Bench) -> None:
    ended = []

    def steps(_host: str) -> Steps:
        try:
            bench.executor.interrupt()
            yield Run("do", "do")
        finally:
            ended.append(True)

    with pytest.raises(InterruptedRunError):
        bench.drive(steps)
    assert ended
    assert bench.machines[A].commands == []


def test_a_wait_that_is_interrupted_says_what_it_waited_for(bench: Bench) -> None:
    def not_yet() -> str:
        bench.executor.interrupt()
        return "no image"

    def steps(_host: str) -> Steps:
        yield Wait("it serves", probe=not_yet)

    with pytest.raises(InterruptedRunError) as caught:
        bench.drive(steps)
    assert caught.value.message == "stopped while waiting: it serves; last seen: no image"


def test_a_phase_that_is_interrupted_ends_the_run_as_such_and_tells_what_failed_besides(bench: Bench) -> None:
    class Begin(Phase[None]):
        """Begin."""

        def hosts(self, ctx: None) -> Sequence[str]:
            del ctx
            return (A, B)

        def steps(self, ctx: None, host: str) -> Steps:
            del ctx
            if host == B:
                raise ConnectError(B, "no route to host")
            bench.executor.interrupt()
            yield Run("do", "do")

    with pytest.raises(InterruptedRunError) as caught:
        Begin().perform(None, bench.executor)
    assert caught.value.message == (
        f"stopped by the operator; what was begun is finished; besides, {B}: no route to host"
    )


def test_a_rehearsal_records_changing_steps_and_performs_none(rehearsal: Bench) -> None:
    rehearsal.machines[A].on("sh", exit_status=1)  # the file of the Put is not there yet
    rehearsal.drive(every_changing_step)
    assert [(step.kind, step.title) for step in rehearsal.executor.recorded] == [
        ("run", "run"),
        ("put", "put"),
        ("send", "send"),
        ("call", "call"),
    ]
    assert [command[0] for command in rehearsal.machines[A].commands] == ["sh"]
    assert rehearsal.executor.changed == 0


def test_a_rehearsal_performs_reading_steps_and_pretends_samples(rehearsal: Bench) -> None:
    rehearsal.machines[A].on("id", stdout="0")

    def steps(_host: str) -> Steps:
        asked: Result = yield Ask("ask", "id", "-u")
        ran: Result = yield Run("make", "make", sample=b"made")
        called: Result = yield Call("call", lambda: 42, sample=41)
        return asked.text, ran.text, ran.sample, called.value

    assert rehearsal.drive(steps) == {A: ("0", "made", True, 41)}


def test_a_rehearsal_does_not_record_a_put_of_what_is_there(rehearsal: Bench) -> None:
    def steps(_host: str) -> Steps:
        yield Put("same", "/etc/motd", b"hello")

    rehearsal.drive(steps)
    assert rehearsal.executor.recorded == []


def test_a_rehearsal_waits_for_nothing_that_a_recorded_step_would_bring_about(rehearsal: Bench) -> None:
    def steps(_host: str) -> Steps:
        yield Run("make", "make")
        answer: Result = yield Wait("it is so", probe=lambda: "not yet", timeout=0)
        return answer.sample

    assert rehearsal.drive(steps) == {A: True}


def test_connections_are_opened_once_and_all_closed() -> None:
    opened: list[str] = []
    machine = FakeConnector(A)

    def connect(address: str) -> FakeConnector:
        opened.append(address)
        return machine

    connections = Connections(connect)
    for _ in range(2):
        with connections.use(A) as connector:
            connector.run(["true"])
    assert opened == [A]
    assert connections.round_trips() == {A: 2}
    connections.close()
    assert machine.closed


def test_a_connection_that_cannot_be_opened_is_tried_again_at_the_next_step() -> None:
    answers: list[SealpyError | FakeConnector] = [KubeError("down"), FakeConnector(A)]

    def connect(_address: str) -> FakeConnector:
        answer = answers.pop(0)
        if isinstance(answer, SealpyError):
            raise answer
        return answer

    connections = Connections(connect)
    with pytest.raises(KubeError), connections.use(A):
        pass
    with connections.use(A) as connector:
        assert connector.run(["true"]).ok
