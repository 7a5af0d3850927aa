"""The proofs of a system of plugins that run in phases: S2 to S6 and S8. S1 and S7 need a cluster and stand in e2e."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sealpy.actions.apply import add_hosts, begin, create
from sealpy.actions.delete import delete_all
from sealpy.actions.hooks import Hooks
from sealpy.actions.part import remove_hosts
from sealpy.clusterfile import Plugin, load_plugins
from sealpy.errors import ClusterfileError, PluginError, PluginFailedError
from sealpy.events import PluginSkipped, PluginStarted
from sealpy.phases.drain_nodes import DrainNodes
from sealpy.plugin import BoundPlugin, Hook, Registry, check, discover
from sealpy.sdk import HookPoint, Result
from sealpy.testing.stage import Stage, cluster, document

MINE = b'PluginType = "MINE"\ndef Plugin(context, phase):\n    print(phase)\n'
EVERY = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


# ---- S2


@pytest.mark.parametrize("directories", [("plugin",), ("plugins",), ("plugin", "plugins")])
def test_s2_an_artefact_is_found_in_plugin_and_in_plugins_and_in_both_is_one(directories: Sequence[str]) -> None:
    stage = Stage(files=[(f"{directory}/mine.py", MINE) for directory in directories])
    stage.fire(document(type_="MINE"))
    assert stage.printed() == ["PostInstall"]


# ---- S3


@pytest.mark.parametrize(
    ("written", "image", "count"),
    [
        ([document("a")], [], 1),
        ([], [document("a")], 1),
        ([document("a")], [document("b")], 2),
        ([document("a", line=3)], [document("a", line=40)], 1),
    ],
    ids=["Clusterfile only", "image only", "both", "the same in both"],
)
def test_s3_documents_of_clusterfile_and_image_are_counted_once(
    written: list[Plugin], image: list[Plugin], count: int
) -> None:
    stage = Stage()
    stage.fire(*written, image=image)
    assert len(stage.of(PluginStarted)) == count


# ---- S4


def every_point() -> tuple[BoundPlugin, ...]:
    """Give a plugin for each hook point."""
    return check([document(point, actions=(point,)) for point in HookPoint], discover(), cluster())


# operation → its hosts, the hook points in order with the last numbers of the hosts on which each fires
PIPELINES = {
    "create": (
        EVERY,
        (
            "Originally/123 pre-install/1 PreInit/123 pre-init-host/123 PreInstall/123 post-init-host/123 "
            "post-install/1 PreGuest/123 PostInstall/123"
        ),
    ),
    "add hosts": (
        ("10.0.0.3",),
        "Originally/3 pre-scaleup/1 PreJoin/3 pre-init-host/3 post-init-host/3 post-scaleup/1 PreGuest/3 PostJoin/3",
    ),
    "remove hosts": (("10.0.0.2", "10.0.0.3"), "PreClean/23 pre-clean-host/23 PostClean/23 post-clean-host/23"),
    "delete all": (
        EVERY,
        "pre-uninstall/1 PreClean/123 pre-clean-host/123 PostClean/123 post-clean-host/123 post-uninstall/1",
    ),
}


@pytest.mark.parametrize("operation", PIPELINES)
def test_s4_every_phase_of_every_pipeline_is_reached_in_order_on_its_hosts(operation: str) -> None:
    hosts, expected = PIPELINES[operation]
    hooks = Hooks(every_point())
    lists = {
        "create": [*begin(hooks), *create(hooks)],
        "add hosts": [*begin(hooks), *add_hosts(hooks)],
        "remove hosts": remove_hosts(hooks, DrainNodes(timeout=1, force=False), hosts, frozenset()),
        "delete all": delete_all(hooks),
    }
    stage = Stage(hosts=hosts)
    for phase in lists[operation]:
        if isinstance(phase, Hook):
            stage.perform(phase)
    seen = [f"{event.hook}/{''.join(host[-1] for host in event.hosts)}" for event in stage.of(PluginStarted)]
    assert seen == expected.split()


# ---- S5


def test_s5_a_failing_hook_ends_the_pipeline_with_plugin_phase_host_and_cause(tmp_path: Path) -> None:
    stage = Stage(journal=tmp_path / "journal.jsonl")
    failing = Result(exit_status=3, stderr=b"disk is full")
    stage.machines["10.0.0.2"].on("bash", answers=[Result(), failing])
    bound = check([document("second"), document("third")], discover(), stage.inventory)
    stage.fire(document("first"), at=HookPoint.POST_INSTALL)
    with pytest.raises(PluginFailedError) as caught:
        stage.perform(Hook(HookPoint.POST_INSTALL, bound))
    error = caught.value
    assert error.message == "Clusterfile:1: plugin 'second' (SHELL) failed at PostInstall on 10.0.0.2"
    assert error.problems[0].message == (
        "10.0.0.2: 'run the script of second' failed with exit status 3\n  disk is full"
    )
    assert [event.plugin for event in stage.of(PluginStarted)] == ["first", "second"]


def test_s5_a_second_run_does_not_repeat_what_the_first_had_finished(tmp_path: Path) -> None:
    documents = [document("first"), document("second", data="fails")]
    first = Stage(journal=tmp_path / "journal.jsonl")
    first.machines["10.0.0.2"].on("bash", answers=[Result(), Result(exit_status=1)])
    with pytest.raises(PluginFailedError):
        first.fire(*documents)
    again = Stage(journal=tmp_path / "journal.jsonl")
    again.fire(*documents)
    assert [event.plugin for event in again.of(PluginSkipped)] == ["first"]
    assert [event.plugin for event in again.of(PluginStarted)] == ["second"]


# ---- S6

PLUGIN = "kind: Plugin\nmetadata: {name: a}\nspec:\n  type: SHELL\n  data: date\n"
# the text of a file of plugins → what is told
TOLD = {
    "unknown phase": (
        PLUGIN + "  action: PostInstal\n",
        "action 'PostInstal' is not known",
        "did you mean 'PostInstall'?",
    ),
    "unknown type": (
        "kind: Plugin\nmetadata: {name: a}\nspec: {type: SHEL, action: PreInit}\n",
        "type 'SHEL' is not known",
        "did you mean 'SHELL'?",
    ),
    "type in a wrong phase": (
        "kind: Plugin\nmetadata: {name: a}\nspec: {type: LABEL, action: PreInit, data: 10.0.0.1 a=b}\n",
        "type 'LABEL' cannot be used at 'PreInit'",
        "use PreGuest",
    ),
    "missing ---": (PLUGIN + "  action: PreInit\n" + PLUGIN, "key 'kind' stands twice", "remove one of the two"),
    "duplicate key": (PLUGIN + "  action: PreInit\n  action: PreJoin\n", "key 'action' stands twice", "remove one"),
}


@pytest.mark.parametrize("mistake", TOLD)
def test_s6_a_mistake_is_an_error_never_silence(mistake: str) -> None:
    text, message, hint = TOLD[mistake]
    with pytest.raises((ClusterfileError, PluginError)) as caught:
        check(load_plugins(text, name="p"), discover(), cluster())
    problem = caught.value.problems[0]
    assert message in problem.message
    assert hint in problem.hint


def test_s6_blanks_round_the_bar_are_let_be_with_a_notice() -> None:
    documents = load_plugins(PLUGIN + "  action: PreInit | PreJoin\n", name="p")
    (bound,) = check(documents, discover(), cluster())
    assert bound.points == (HookPoint.PRE_INIT, HookPoint.PRE_JOIN)
    assert "blanks round '|' are left out" in bound.notices[0].message


# ---- S8


def test_s8_one_digest_met_twice_is_one_type_and_two_digests_are_an_error_that_names_both() -> None:
    files = [("plugin/mine.py", MINE), ("plugins/mine.py", MINE)]
    assert isinstance(discover(files), Registry)
    with pytest.raises(PluginError) as caught:
        discover([*files, ("plugins/other.py", MINE + b"# newer\n")])
    (problem,) = caught.value.problems
    assert "type 'MINE' has two different implementations: plugin/mine.py and plugins/other.py" in problem.message
