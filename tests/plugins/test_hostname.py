"""HOSTNAME: data and what the host is called now → commands."""

from __future__ import annotations

import pytest

from sealpy.errors import PluginError
from sealpy.sdk import HookPoint
from sealpy.testing.stage import Stage, document

DATA = "# addresses and names\n10.0.0.1 master-0\n10.0.0.2   node-0 # the worker\n10.9.9.9 elsewhere\n"


def fire(stage: Stage, data: str = DATA, at: HookPoint = HookPoint.PRE_INIT) -> None:
    stage.fire(document(type_="HOSTNAME", actions=(at,), data=data), at=at)


def renamed(stage: Stage) -> dict[str, str]:
    """Give the new name of each host that was given one."""
    return {
        address: command[-1]
        for address, commands in stage.commands().items()
        for command in commands
        if "hostnamectl" in command[2]
    }


def test_each_host_is_given_its_name(stage: Stage) -> None:
    fire(stage)
    assert renamed(stage) == {"10.0.0.1": "master-0", "10.0.0.2": "node-0"}


@pytest.mark.parametrize("now", ["debian\ndebian\n", "master-0\n", "master-0\nother\n", "other\nmaster-0\n", ""])
def test_a_name_that_is_not_both_in_force_and_on_disk_is_set(stage: Stage, now: str) -> None:
    stage.machines["10.0.0.1"].on("sh", "-c", stdout=now)
    fire(stage)
    assert renamed(stage)["10.0.0.1"] == "master-0"


def test_a_host_that_has_its_name_is_only_asked(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("sh", "-c", stdout="master-0\nmaster-0\n")
    fire(stage)
    assert "10.0.0.1" not in renamed(stage)
    assert len(stage.commands()["10.0.0.1"]) == 1


def test_a_host_of_which_data_does_not_speak_is_left_alone(stage: Stage) -> None:
    fire(stage, "10.0.0.1 master-0\n")
    assert list(stage.commands()) == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "data is empty: write one 'IP name' a line"),
        ("10.0.0.1", "data, line 1: '10.0.0.1' is not 'IP name'"),
        ("\n10.0.0.1 a b", "data, line 2: '10.0.0.1 a b' is not 'IP name'"),
        ("10.0.0 a", "data, line 1: '10.0.0' is no IP address"),
        ("10.0.0.1 Master_0", "data, line 1: 'Master_0' is no host name"),
        (f"10.0.0.1 {'a' * 65}", "is no host name"),
        ("10.0.0.1 a\n10.0.0.1 b", "data, line 2: host '10.0.0.1' has a name already"),
        ("10.0.0.1 a\n10.0.0.2 a", "data, line 2: name 'a' is given to two hosts"),
    ],
)
def test_bad_data_is_refused_before_any_host_is_touched(stage: Stage, data: str, problem: str) -> None:
    with pytest.raises(PluginError) as caught:
        fire(stage, data)
    assert problem in caught.value.problems[0].message
    assert stage.commands() == {}
