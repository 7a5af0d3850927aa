"""How documents are bound to types, and what is refused before any host is touched."""

from __future__ import annotations

from typing import Any

import pytest

from sealpy.clusterfile import Plugin
from sealpy.errors import PluginError, Problem
from sealpy.inventory import Inventory, Scope
from sealpy.plugin import BoundPlugin, check, discover
from sealpy.plugin.bind import select
from sealpy.sdk import HookPoint
from sealpy.testing.stage import cluster, document

CLUSTER = cluster(masters=("10.0.0.1", "10.0.0.2"), nodes=("10.0.0.3", "10.0.0.4"))
MASTERS_ONLY = cluster(nodes=())
NAMES = "10.0.0.1 one\n"


def bind(*written: Plugin, image: tuple[Plugin, ...] = (), inventory: Inventory = CLUSTER) -> tuple[BoundPlugin, ...]:
    return check(written, discover(), inventory, image=image)


def problems(*written: Plugin, image: tuple[Plugin, ...] = (), inventory: Inventory = CLUSTER) -> tuple[Problem, ...]:
    with pytest.raises(PluginError) as caught:
        bind(*written, image=image, inventory=inventory)
    return caught.value.problems


def test_a_document_fires_at_each_of_its_actions() -> None:
    (bound,) = bind(document(actions=("PreInit", "pre-init-host")))
    assert bound.points == (HookPoint.PRE_INIT, HookPoint.PRE_INIT_HOST)


# what the document says → the problem, the hint
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"type_": ""}, "no type is given", "add spec.type: one of CLUSTERCHECK, ETCD, HOSTNAME, LABEL, SHELL, TAINT"),
    ({"type_": "SHEL"}, "type 'SHEL' is not known", "did you mean 'SHELL'?"),
    ({"actions": ()}, "no action is given", "add spec.action"),
    ({"actions": ("PostInstal",)}, "action 'PostInstal' is not known", "did you mean 'PostInstall'?"),
    ({"actions": ("post-int-host",)}, "action 'post-int-host' is not known", "did you mean 'post-init-host'?"),
    (
        {"type_": "HOSTNAME", "actions": ("PostInstall",), "data": NAMES},
        "type 'HOSTNAME' cannot be used at 'PostInstall'",
        "use PreInit or PreJoin or pre-init-host",
    ),
    ({"type_": "HOSTNAME", "actions": ("PreInit",), "data": "one"}, "data, line 1: 'one' is not 'IP name'", ""),
    ({"data": " \n"}, "data is empty", ""),
    ({"on": "masters"}, "scope 'masters' selects no host", "did you mean 'master'?"),
    ({"on": "gpu"}, "scope 'gpu' selects no host", "use one of master0, master, node"),
    (
        {"on": "master|disk=ssd"},
        "'master|disk=ssd' is neither roles and addresses nor a selector of labels",
        "write roles and addresses as a|b, labels as key=value,other!=value",
    ),
    ({"on": "=ssd"}, "'=ssd' is neither roles and addresses nor a selector of labels", "write roles"),
    ({"on": "10.9.9.9"}, "scope '10.9.9.9' selects no host", "use one of"),
    ({"on": "10.0.0.x"}, "host '10.0.0.x' is no IP address", "address"),
    (
        {"on": "disk=ssd", "actions": ("PreInit",)},
        "label selector 'disk=ssd' cannot be answered at 'PreInit'",
        "nodes have labels at PostInstall, PostJoin",
    ),
    (
        {"scope": "node", "actions": ("post-install",)},
        "'post-install' runs on the leader 10.0.0.1 alone, which scope 'node' leaves out",
        "use master0",
    ),
]


@pytest.mark.parametrize(("fields", "message", "hint"), REFUSED)
def test_a_wrong_document_is_refused_with_place_and_hint(fields: dict[str, Any], message: str, hint: str) -> None:
    (problem,) = problems(document(line=7, **fields))
    assert str(problem).startswith("Clusterfile:7: plugin 'mine': ")
    assert message in problem.message
    assert hint in problem.hint


def test_all_problems_are_told_at_once() -> None:
    found = problems(document(type_="SHEL", actions=("Post",), line=1), document(on="masters", line=9))
    assert [str(problem).partition(": ")[0] for problem in found] == ["Clusterfile:1", "Clusterfile:1", "Clusterfile:9"]


def test_a_wrong_selector_is_told_once_for_all_actions() -> None:
    assert len(problems(document(on="masters", actions=("PreInit", "PreJoin", "PostInstall")))) == 1


def test_before_types_had_names_of_their_own_the_name_was_the_type() -> None:
    assert bind(document("SHELL", type_=""))[0].type.type == "SHELL"


@pytest.mark.parametrize(
    ("type_", "data", "points"),
    [("HOSTNAME", NAMES, ("PreInit", "PreJoin")), ("LABEL", "10.0.0.1 a=b", ("PreGuest",))],
)
def test_a_type_whose_phase_is_fixed_needs_no_action(type_: str, data: str, points: tuple[str, ...]) -> None:
    assert bind(document(type_=type_, actions=(), data=data))[0].points == points


def test_clusterfile_comes_before_image_and_order_before_both() -> None:
    bound = bind(
        document("written-1"),
        document("written-2", order=5),
        image=(document("image-1"), document("image-2", order=-1)),
    )
    assert [plugin.name for plugin in bound] == ["image-2", "written-1", "image-1", "written-2"]


# in the Clusterfile, in the image → how many are bound
COUNTS = [
    ([document()], [], 1),
    ([], [document()], 1),
    ([document()], [document("other")], 2),
    ([document(line=3)], [document(line=40)], 1),
    ([document(data="a")], [document(data="b")], 2),
]


@pytest.mark.parametrize(("written", "image", "count"), COUNTS)
def test_what_stands_in_both_word_for_word_fires_once(written: list[Plugin], image: list[Plugin], count: int) -> None:
    assert len(bind(*written, image=tuple(image))) == count


def test_a_role_that_no_host_has_is_an_error_in_a_clusterfile() -> None:
    (problem,) = problems(document(on="node"), inventory=MASTERS_ONLY)
    assert "scope 'node' selects no host" in problem.message
    assert "the hosts of this cluster are: master" in problem.hint


def test_an_image_is_written_for_clusters_with_and_without_that_role() -> None:
    assert bind(image=(document(scope="node", actions=("pre-init-host",)),), inventory=MASTERS_ONLY)
    assert "masters" in problems(image=(document(on="masters"),), inventory=MASTERS_ONLY)[0].message


# action, on, scope → the words that select
SELECTORS = [
    ("PostInstall", "master", "", ("master",)),
    ("PostInstall", "", "node", ("node",)),
    ("PostInstall", "master", "node", ("master",)),
    ("post-init-host", "", "node", ("node",)),
    ("post-init-host", "master", "", ("master",)),
    ("post-init-host", "master", "node", ("node",)),
    ("PostInstall", "", "", ()),
]


@pytest.mark.parametrize(("action", "on", "scope", "words"), SELECTORS)
def test_classic_actions_go_by_on_and_kebab_ones_by_scope(
    action: str, on: str, scope: str, words: tuple[str, ...]
) -> None:
    (bound,) = bind(document(actions=(action,), on=on, scope=scope))
    assert bound.scope(HookPoint(action)).words == words


# what users write → the last numbers of the addresses
SELECTED = {
    "": "1234",
    "master": "12",
    "control-plane": "12",
    "node": "34",
    "worker": "34",
    "role=node": "34",
    "role=master|role=node": "1234",
    "role=node, 10.0.0.1": "134",
    "master0": "1",
    "master | node": "1234",
    "master/node": "1234",
    "10.0.0.2": "2",
    "10.0.0.2-10.0.0.3": "23",
    "10.0.0.4,10.0.0.1-10.0.0.2": "124",
}


@pytest.mark.parametrize("text", SELECTED)
def test_a_selector_selects(text: str) -> None:
    assert "".join(address[-1] for address in select(Scope.parse(text), CLUSTER)) == SELECTED[text]


def test_a_role_that_no_host_has_adds_nobody_and_spoils_nothing() -> None:
    assert select(Scope.parse("master|node"), MASTERS_ONLY) == MASTERS_ONLY.addresses
