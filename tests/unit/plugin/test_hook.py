"""A hook point that fires: on which hosts, in which order, with what events and what comes of failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import InterruptedRunError, PluginFailedError
from sealpy.events import HookFinished, HookStarted, PluginFinished, PluginSkipped, PluginStarted, StepFinished
from sealpy.plugin import Hook, Limits, check, discover
from sealpy.sdk import HookPoint
from sealpy.testing.stage import Stage, cluster, document

TOUCH = """
from sealpy.sdk import Run
class Plugin:
    def steps(self, context, host):
        yield Run("t", "touch", host.name)
"""
EVERY = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


def test_both_styles_are_fired_the_steps_on_each_host_the_run_once(stage: Stage) -> None:
    stage.fire_source(TOUCH)
    assert stage.commands() == {address: [("touch", f"host-{address[-1]}")] for address in EVERY}


# the imperative plugin, in each of the forms in which authors write it
RUNS = {
    "a class with run": """
class Plugin:
    def run(self, context, phase):
        context.run(context.leader, ["true"])
""",
    "a class with Run, as in Go": """
class Plugin:
    def Run(self, context, phase):
        context.run(context.leader, ["true"])
""",
    "an instance": """
class Lister:
    def run(self, context, phase):
        context.run(context.leader, ["true"])
Plugin = Lister()
""",
    "a function": """
def Plugin(context, phase):
    context.run(context.leader, ["true"])
""",
    "a generator": """
from sealpy.sdk import On, Run
def Plugin(context, phase):
    yield On(context.leader, Run("t", "true"))
""",
}


@pytest.mark.parametrize("form", RUNS)
def test_the_imperative_style_is_called_once(stage: Stage, form: str) -> None:
    stage.fire_source(RUNS[form])
    assert stage.commands() == {"10.0.0.1": [("true",)]}
    assert [event.changed for event in stage.of(PluginFinished)] == [1]


def test_a_plugin_learns_why_where_and_with_what_it_is_called(stage: Stage) -> None:
    stage.hosts = ("10.0.0.2", "10.0.0.3")
    stage.fire_source(
        "def Plugin(context, phase):\n"
        "    print(phase, context.plugin, context.type, context.data, context.cluster, context.rehearsal)\n"
        "    print(context.leader, context.masters, context.workers, context.rootfs)\n"
        "    print([(host.address, host.name, host.roles) for host in context.hosts])\n",
        data="the data",
    )
    assert stage.printed() == [
        "PostInstall mine MINE the data my-cluster False",
        f"10.0.0.1 ('10.0.0.1', '10.0.0.2') ('10.0.0.3',) {stage.rootfs}",
        "[('10.0.0.2', 'host-2', ('master',)), ('10.0.0.3', 'host-3', ('node',))]",
    ]


def test_the_answers_of_hosts_reach_the_plugin(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("id", stdout="uid=0")
    stage.machines["10.0.0.2"].on("id", exit_status=3, stderr="nobody")
    stage.fire_source(
        "def Plugin(context, phase):\n"
        "    for address in context.masters:\n"
        "        answer = context.ask(address, ['id'])\n"
        "        print(answer.ok, answer.text, answer.reason)\n"
    )
    assert stage.printed() == ["True uid=0 uid=0", "False  nobody"]


def test_a_plugin_may_catch_the_failure_of_its_step(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("false", exit_status=1, stderr="no such thing")
    stage.fire_source(
        "from sealpy.sdk import StepFailedError\n"
        "def Plugin(context, phase):\n"
        "    try:\n"
        "        context.run(context.leader, ['false'])\n"
        "    except StepFailedError as error:\n"
        "        print(error, '|', error.result.exit_status, error.result.reason)\n"
    )
    assert stage.printed() == ["10.0.0.1: 'false' failed with exit status 1 | 1 no such thing"]


@pytest.mark.parametrize("source", [RUNS["a function"], TOUCH.replace("touch", "true")], ids=["run", "steps"])
def test_a_failed_step_is_told_with_plugin_hook_point_host_and_last_lines(stage: Stage, source: str) -> None:
    stage.machines["10.0.0.1"].on("true", exit_status=1, stderr="first\nlast")
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_source(source)
    assert "plugin 'mine' (MINE) failed at PostInstall" in caught.value.message
    (problem,) = caught.value.problems
    assert problem.message.startswith("10.0.0.1: ")
    assert problem.message.endswith("failed with exit status 1\n  first\n  last")


def test_one_failing_host_does_not_stop_the_others_but_the_next_plugin(stage: Stage) -> None:
    stage.machines["10.0.0.2"].on("bash", exit_status=1)
    with pytest.raises(PluginFailedError, match=r"'first' .* failed at PostInstall on 10\.0\.0\.2$") as caught:
        stage.fire(document("first"), document("second"))
    error = caught.value
    assert (error.plugin, error.hook, error.hosts, error.exit_code) == ("first", "PostInstall", ("10.0.0.2",), 4)
    assert [len(commands) for commands in stage.commands().values()] == [1, 1, 1]
    assert [event.plugin for event in stage.of(PluginStarted)] == ["first"]


def test_the_events_of_a_hook_tell_its_story_in_order(stage: Stage) -> None:
    stage.fire(document("b"), document("a"))
    story = [type(event) for event in stage.events if not event.name.startswith("step.")]
    assert story == [HookStarted, PluginStarted, PluginFinished, PluginStarted, PluginFinished, HookFinished]
    assert stage.of(HookStarted)[0].plugins == ("b", "a")
    assert {event.phase for event in stage.of(StepFinished)} == {"PostInstall/a", "PostInstall/b"}
    assert stage.of(PluginStarted)[0].hosts == EVERY


# hook point, on/scope → the hosts
WHERE = [
    ("PreInit", "", "123"),
    ("PreInit", "node", "3"),
    ("PreInit", "master0", "1"),
    ("pre-init-host", "", "123"),
    ("pre-init-host", "master", "12"),
    ("pre-install", "", "1"),
    ("pre-install", "master0", "1"),
    ("post-uninstall", "master", "1"),
]


@pytest.mark.parametrize(("point", "scope", "hosts"), WHERE)
def test_each_kind_of_hook_point_has_its_hosts(stage: Stage, point: str, scope: str, hosts: str) -> None:
    stage.fire(document(actions=(point,), scope=scope), at=HookPoint(point))
    assert "".join(address[-1] for address in stage.commands()) == hosts


def test_hosts_that_are_not_of_this_operation_are_left_alone() -> None:
    stage = Stage(hosts=("10.0.0.3",))
    stage.fire(document(actions=("PostJoin",)), at=HookPoint.POST_JOIN)
    assert list(stage.commands()) == ["10.0.0.3"]


def test_a_plugin_that_concerns_nobody_is_skipped_and_that_is_told() -> None:
    stage = Stage(hosts=("10.0.0.3",))
    stage.fire(document(actions=("PostJoin",), on="master"), at=HookPoint.POST_JOIN)
    (skipped,) = stage.of(PluginSkipped)
    assert skipped.reason == "'master' selects no host of this operation"


def test_a_plugin_of_the_image_for_a_role_that_no_host_has_is_skipped_and_that_is_told() -> None:
    stage = Stage(inventory=cluster(nodes=()))
    stage.fire(image=[document(on="node")])
    assert stage.of(PluginSkipped)[0].reason == "'node' selects no host of this cluster"
    assert stage.commands() == {}


def test_a_label_selects_the_nodes_that_carry_it(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", stdout="10.0.0.3 10.0.0.9")
    stage.fire(document(on="disk=ssd"))
    assert [address for address in stage.commands() if stage.machines[address].commands[-1][0] == "bash"] == [
        "10.0.0.3"
    ]
    assert "disk=ssd" in stage.machines["10.0.0.1"].commands[0]


def test_a_label_that_nobody_carries_skips_the_plugin(stage: Stage) -> None:
    stage.fire(document(on="disk=ssd"))
    assert stage.of(PluginSkipped)[0].reason == "no host of this operation is a node with the label 'disk=ssd'"


def test_a_label_that_cannot_be_asked_for_is_an_error(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", exit_status=1, stderr="connection refused")
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(on="disk=ssd"))
    assert "the label 'disk=ssd': connection refused" in caught.value.problems[0].message


@pytest.mark.parametrize(("rehearsal", "point"), [(True, "PostInstall"), (False, "PreClean")])
def test_a_label_need_not_be_known_in_a_rehearsal_or_when_the_cluster_goes(*, rehearsal: bool, point: str) -> None:
    stage = Stage(rehearsal=rehearsal)
    stage.machines["10.0.0.1"].on("kubectl", exit_status=1, stderr="connection refused")
    stage.fire(document(on="disk=ssd", actions=(point,)), at=HookPoint(point))
    assert "connection refused" in stage.of(PluginSkipped)[0].reason


def test_a_rehearsal_calls_plugins_and_records_what_they_would_change() -> None:
    stage = Stage(rehearsal=True)
    stage.fire_source("def Plugin(context, phase):\n    print(context.run(context.leader, ['reboot']).sample)\n")
    assert stage.printed() == ["True"]
    assert stage.commands() == {}
    assert [(step.host, step.title) for step in stage.executor.recorded] == [("10.0.0.1", "reboot")]


def test_a_plugin_that_finished_in_a_run_that_was_cut_is_not_fired_again(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    Stage(journal=journal).fire(document())
    again = Stage(journal=journal)
    again.fire(document(), document("new"))
    assert [event.plugin for event in again.of(PluginStarted)] == ["new"]
    assert again.of(PluginSkipped)[0].reason == "the run that was cut had finished it"


@pytest.mark.parametrize("changed", [{"data": "other"}, {"on": "master"}])
def test_a_plugin_that_was_changed_since_is_fired_again(tmp_path: Path, changed: dict[str, str]) -> None:
    Stage(journal=tmp_path / "journal.jsonl").fire(document())
    again = Stage(journal=tmp_path / "journal.jsonl")
    again.fire(document(**changed))  # type: ignore[arg-type] # texts, all of them
    assert not again.of(PluginSkipped)


def test_a_plugin_is_fired_again_on_a_machine_that_was_installed_anew_since(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    Stage(journal=journal, machine_ids={"10.0.0.1": "before"}).fire(document())
    again = Stage(journal=journal, machine_ids={"10.0.0.1": "anew"})
    again.fire(document())
    assert not again.of(PluginSkipped)


def test_a_rehearsal_leaves_no_mark(tmp_path: Path) -> None:
    Stage(journal=tmp_path / "journal.jsonl", rehearsal=True).fire(document())
    again = Stage(journal=tmp_path / "journal.jsonl")
    again.fire(document())
    assert not again.of(PluginSkipped)


def test_ctrl_c_stays_what_it_is(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("bash", answers=[InterruptedRunError("stopped by the operator")])
    with pytest.raises(InterruptedRunError):
        stage.fire(document(on="master0"))


def test_a_run_that_yields_must_say_for_which_host(stage: Stage) -> None:
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_source(RUNS["a generator"].replace("On(context.leader, ", "("))
    assert "run() yielded 't' for no host" in caught.value.problems[0].message
    assert caught.value.hint == "yield On(address, step)"


def test_a_host_of_the_cluster_that_is_not_of_the_operation_is_out_of_reach_but_for_the_leader() -> None:
    stage = Stage(hosts=("10.0.0.3",))
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_source(
            "def Plugin(context, phase):\n    for address in context.masters:\n        context.run(address, ['true'])\n"
        )
    assert list(stage.commands()) == ["10.0.0.1"]
    assert "has no business on host '10.0.0.2'" in caught.value.problems[0].message
    assert caught.value.hint == "this operation is about 10.0.0.1, 10.0.0.3"


@pytest.mark.parametrize(("asked", "allowed", "given"), [(1200, None, 1200.0), (1200, 20.0, 20.0), (5, 20.0, 5.0)])
def test_a_plugin_has_the_time_it_asks_for_unless_less_is_allowed(
    asked: int, allowed: float | None, given: float
) -> None:
    source = f"PluginType = 'MINE'\nclass Plugin:\n    timeout = {asked}\n".encode()
    bound = check([document(type_="MINE")], discover([("plugins/mine.py", source)]), cluster())
    hook = Hook(HookPoint.POST_INSTALL, bound, limits=Limits(deadline=allowed) if allowed else None)
    assert hook._limits_of(bound[0]).deadline == given
