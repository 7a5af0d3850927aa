"""What a document asks for beyond the usual: time, tries, what comes of a failure, how many hosts at once."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from sealpy.clusterfile import Retry
from sealpy.errors import InterruptedRunError, NotReadyError, PluginError, PluginFailedError
from sealpy.events import PluginFinished, PluginRetrying, PluginSkipped, PluginStarted
from sealpy.plugin import check, discover
from sealpy.plugin.deadline import Deadline
from sealpy.sdk import Ask, Fetch, On, Result, Run, Send, Step, Wait
from sealpy.testing.connector import Asked
from sealpy.testing.stage import Stage, cluster, document

EVERY = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
ASLEEP = "import time\ndef Plugin(context, phase):\n    time.sleep(3600)\n"


def fails(times: int) -> list[Result]:
    """Fail so many times, then succeed."""
    return [Result(exit_status=1, stderr=b"not yet")] * times + [Result()]


# ---- time


def test_a_script_is_ended_on_the_host_when_the_time_of_its_document_is_over(stage: Stage) -> None:
    stage.machines["10.0.0.2"].on("bash", seconds=91)
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(timeout=90.0))
    assert caught.value.hosts == ("10.0.0.2",)
    told = caught.value.problems[0].message
    assert told == "10.0.0.2: 'run the script of mine' was ended because it took longer than 90 s"


def test_a_script_may_be_given_longer_than_usual(stage: Stage) -> None:
    stage.machines["10.0.0.2"].on("bash", seconds=7000)
    with pytest.raises(PluginFailedError, match="failed"):
        stage.fire(document())
    stage.fire(document(timeout=7200.0))


def test_the_time_of_a_document_stands_over_that_of_the_type(stage: Stage) -> None:
    stage.limits = replace(stage.limits, deadline=50.0)
    stage.files.append(("plugins/mine.py", f'PluginType = "MINE"\n{ASLEEP}'.encode()))
    begun = time.monotonic()
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(type_="MINE", timeout=0.4))
    assert "it used up its 0.4 s" in caught.value.problems[0].message
    assert time.monotonic() - begun < 40


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "step",
    [
        Ask("a", "true", stdin=b"x", timeout=60.0),
        Run("r", "true", timeout=600.0, live=True),
        Wait("w", "true", timeout=900.0),
        On("10.0.0.1", Run("r", "true")),
    ],
    ids=lambda step: type(step).__name__,
)
def test_each_step_has_the_time_that_is_left(step: Step) -> None:
    clock = Clock()
    deadline = Deadline(10.0, clock)
    clock.now += 7.5
    bounded = deadline.bound(step)
    inner = bounded.step if isinstance(bounded, On) else bounded
    assert isinstance(inner, Ask | Run | Wait | Send)
    assert inner.timeout == 2.5
    assert inner.title == (step.step.title if isinstance(step, On) else step.title)
    clock.now += 2.5
    with pytest.raises(PluginError, match="used up the 10 s that its document gives it"):
        deadline.bound(step)


def test_a_step_that_asks_for_less_keeps_its_own_time_and_without_a_deadline_all_do() -> None:
    short, read = Ask("a", "true", timeout=3.0), Fetch("f", "/etc/hosts")
    assert Deadline(10.0, Clock()).bound(short) is short
    assert Deadline(10.0, Clock()).bound(read) is read
    endless = Wait("w", "true", timeout=1e6)
    assert Deadline(0.0, Clock()).bound(endless) is endless


# ---- tries


def test_only_the_hosts_that_failed_are_tried_again(stage: Stage) -> None:
    stage.machines["10.0.0.2"].on("bash", answers=fails(2))
    stage.fire(document(retry=Retry(3, 0.0)))
    assert [len(machine.commands) for machine in stage.machines.values()] == [1, 3, 1]
    retrying = stage.of(PluginRetrying)
    assert [(event.hosts, event.attempt, event.attempts) for event in retrying] == [
        (("10.0.0.2",), 1, 3),
        (("10.0.0.2",), 2, 3),
    ]
    assert "failed with exit status 1\n  not yet" in retrying[0].error
    (finished,) = stage.of(PluginFinished)
    assert (finished.error, finished.attempts, finished.changed) == ("", 3, 3)


def test_what_fails_at_every_try_fails(stage: Stage) -> None:
    stage.machines["10.0.0.2"].on("bash", exit_status=1)
    with pytest.raises(PluginFailedError, match=r"on 10\.0\.0\.2$"):
        stage.fire(document(retry=Retry(3, 0.0)))
    assert len(stage.machines["10.0.0.2"].commands) == 3
    assert len(stage.of(PluginRetrying)) == 2


def test_a_plugin_whose_process_ends_is_called_anew_as_a_whole(stage: Stage) -> None:
    source = (
        "import os\n"
        "def Plugin(context, phase):\n"
        "    if context.ask(context.leader, ['tries']).text != '2':\n"
        "        os._exit(4)\n"
        "    context.run(context.leader, ['done'])\n"
    )
    stage.machines["10.0.0.1"].on("tries", answers=[Result(stdout=b"1"), Result(stdout=b"2")])
    stage.files.append(("plugins/mine.py", f'PluginType = "MINE"\n{source}'.encode()))
    stage.fire(document(type_="MINE", retry=Retry(2, 0.0)))
    assert stage.machines["10.0.0.1"].commands == [("tries",), ("tries",), ("done",)]
    assert stage.of(PluginRetrying)[0].hosts == EVERY


def test_without_retry_a_plugin_is_called_once_and_in_a_rehearsal_too() -> None:
    stage = Stage()
    stage.machines["10.0.0.2"].on("bash", answers=fails(1))
    with pytest.raises(PluginFailedError):
        stage.fire(document())
    rehearsal = Stage(rehearsal=True)
    rehearsal.files.append(("plugins/mine.py", b'PluginType = "MINE"\ndef Plugin(c, p):\n    raise KeyError\n'))
    with pytest.raises(PluginFailedError):
        rehearsal.fire(document(type_="MINE", retry=Retry(5, 60.0)))
    assert not rehearsal.of(PluginRetrying)


def test_a_ctrl_c_between_two_tries_ends_the_run(stage: Stage) -> None:
    stage.machines["10.0.0.2"].on("bash", exit_status=1)
    emit = stage.events.append

    def interrupt(event: Any) -> None:
        emit(event)
        if isinstance(event, PluginRetrying):
            stage.executor.interrupt()

    stage.events = Listener(interrupt)  # type: ignore[assignment] # only append is called
    begun = time.monotonic()
    with pytest.raises(InterruptedRunError):
        stage.fire(document(retry=Retry(2, 3600.0), failure_policy="Ignore"))
    assert time.monotonic() - begun < 40


class Listener:
    def __init__(self, append: Any) -> None:
        self.append = append


# ---- failures


def test_a_failure_that_may_be_ignored_lets_the_next_plugin_run(stage: Stage) -> None:
    stage.machines["10.0.0.2"].on("bash", answers=fails(1))
    stage.fire(document("first", failure_policy="Ignore"), document("second"))
    first, second = stage.of(PluginFinished)
    assert (first.ignored, second.ignored, second.error) == (True, False, "")
    assert "failed at PostInstall on 10.0.0.2" in first.error


def test_what_was_ignored_is_not_noted_as_done(tmp_path: Any) -> None:
    for _ in range(2):
        stage = Stage(journal=tmp_path / "journal.jsonl")
        stage.machines["10.0.0.2"].on("bash", exit_status=1)
        stage.fire(document(failure_policy="Ignore"))
        assert not stage.of(PluginSkipped)


def test_a_label_that_cannot_be_asked_for_may_be_ignored(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", exit_status=1, stderr="connection refused")
    stage.fire(document(on="disk=ssd", failure_policy="Ignore"))
    assert "connection refused; its document ignores that" in stage.of(PluginSkipped)[0].reason


def test_a_wait_that_ends_in_vain_is_told_with_what_was_seen(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("ready", exit_status=1, stderr="two pods are missing")
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_source(
            "from sealpy.sdk import On, Wait\n"
            "def Plugin(context, phase):\n"
            "    yield On(context.leader, Wait('ready?', 'ready', timeout=0.0, pause=0.0))\n"
        )
    assert isinstance(caught.value.__cause__, NotReadyError)
    assert "ready?: not so after 0 s; last seen: two pods are missing" in caught.value.problems[0].message


# ---- width


def most_at_once(stage: Stage, parallel: int, *, of_the_type: str = "", awaited: int) -> int:
    """Fire on every machine; gives how many were worked on at the same moment.

    Each piece of work lasts until so many as are awaited have been at it together, and then long enough for one more.
    """
    running, most, changed = 0, 0, threading.Condition()

    def work(_: Asked) -> Result:
        nonlocal running, most
        with changed:
            running += 1
            most = max(most, running)
            changed.notify_all()
            changed.wait_for(lambda: most >= awaited, timeout=20)
        time.sleep(0.02)
        with changed:
            running -= 1
        return Result()

    for machine in stage.machines.values():
        machine.on("work", answers=[work])
    source = f'PluginType = "MINE"\nfrom sealpy.sdk import Run\nclass Plugin:\n    {of_the_type or "pass"}\n'
    source += '    def steps(self, context, host):\n        yield Run("work", "work")\n'
    stage.files.append(("plugins/mine.py", source.encode()))
    stage.fire(document(type_="MINE", parallel=parallel))
    return most


def test_hosts_are_worked_on_at_once_one_after_the_other_or_so_many_at_a_time() -> None:
    addresses = [f"10.0.0.{n}" for n in range(1, 7)]
    assert most_at_once(Stage(inventory=cluster(masters=addresses)), 0, awaited=6) == 6
    assert most_at_once(Stage(inventory=cluster(masters=addresses)), 1, awaited=1) == 1
    assert most_at_once(Stage(inventory=cluster(masters=addresses)), 2, awaited=2) == 2
    assert most_at_once(Stage(inventory=cluster(masters=addresses)), 0, of_the_type="parallel = 1", awaited=1) == 1


def test_a_document_may_not_widen_what_the_type_allows() -> None:
    source = b'PluginType = "MINE"\nclass Plugin:\n    parallel = 2\n'
    with pytest.raises(PluginError) as caught:
        check([document(type_="MINE", parallel=3)], discover([("plugins/mine.py", source)]), cluster())
    (problem,) = caught.value.problems
    assert "parallel is 3, but type 'MINE' works on 2 at once at most" in problem.message
    assert problem.hint == "write 2 or less"


def test_the_operator_is_told_what_the_document_asks_for(stage: Stage) -> None:
    terms = document(order=-2, timeout=90.0, retry=Retry(3, 2.0), failure_policy="Ignore", parallel=2)
    stage.fire(terms, document("plain"))
    first, second = stage.of(PluginStarted)
    assert first.terms == "order -2, timeout 90 s, 3 tries, 2 s apart, 2 at once, a failure is ignored"
    assert second.terms == ""
