from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.errors import MachineError
from sealpy.events import Event, TaskFinished, TaskProgress
from sealpy.machines import root_file_system
from sealpy.machines.recipe import Recipe

RECIPE = Recipe(suite="bookworm", packages=("systemd", "dbus"), files={"/etc/motd": "hello\n"}, links={})
Programs = Callable[[str, str], None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Give a function that puts a shell script where programs are looked for first."""
    place = tmp_path / "programs"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(root_file_system, "_CONTAINED", ())

    def put(name: str, text: str) -> None:
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(stat.S_IRWXU)

    put("apt-get", "")
    put("apt-config", "")
    return put


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "lab").mkdir()
    return tmp_path / "lab"


def test_a_base_is_made_once_and_its_progress_is_told(programs: Programs, shelf: Path) -> None:
    programs(
        "debootstrap",
        'echo "I: Retrieving systemd"; echo "I: Configuring dbus"; mkdir "$4/etc"; echo "$@" > "$4/words"',
    )
    events: list[Event] = []

    made = root_file_system.ensure(shelf, RECIPE, emit=events.append)
    again = root_file_system.ensure(shelf, RECIPE, emit=events.append)

    assert made == again == shelf / RECIPE.name
    assert (made / "etc/motd").read_text() == "hello\n"
    assert (made / "words").read_text().startswith("--variant=minbase --include=systemd,dbus bookworm ")
    assert [event.detail for event in events if isinstance(event, TaskProgress)] == [
        "Retrieving systemd",
        "Configuring dbus",
    ]
    assert [type(event) for event in events].count(TaskFinished) == 1


def test_the_mirror_and_the_proxy_are_those_of_apt(programs: Programs, shelf: Path) -> None:
    programs("apt-get", "echo http://mirror.example/debian/; echo http://second.example/debian/")
    programs("apt-config", "echo \"http_proxy='http://proxy.example:3128'\"; echo \"https_proxy='DIRECT'\"")
    programs("debootstrap", 'echo "$5 $http_proxy $https_proxy" > "$4/words"')

    made = root_file_system.ensure(shelf, RECIPE, emit=lambda _: None)

    assert (made / "words").read_text().split() == ["http://mirror.example/debian/", "http://proxy.example:3128"]


def test_a_base_that_fails_is_told_in_the_words_of_debootstrap_and_leaves_no_base(
    programs: Programs, shelf: Path
) -> None:
    programs("debootstrap", 'echo "I: Retrieving systemd"; echo "E: Failed getting release file"; exit 1')

    with pytest.raises(MachineError, match="debootstrap failed: E: Failed getting release file") as caught:
        root_file_system.ensure(shelf, RECIPE, emit=lambda _: None)

    assert "mirror" in caught.value.hint
    assert not (shelf / RECIPE.name).exists()


def test_what_a_killed_one_left_is_swept_away_before_the_next(programs: Programs, shelf: Path) -> None:
    programs("debootstrap", "true")
    (shelf / "base-0123.part/etc").mkdir(parents=True)

    root_file_system.ensure(shelf, RECIPE, emit=lambda _: None)

    assert [path.name for path in shelf.iterdir()] == [RECIPE.name]


def test_an_error_while_progress_is_told_ends_debootstrap(programs: Programs, shelf: Path) -> None:
    programs("debootstrap", 'echo "I: Retrieving systemd"; exec sleep 600')

    def stop(_event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        root_file_system.ensure(shelf, RECIPE, emit=stop)
