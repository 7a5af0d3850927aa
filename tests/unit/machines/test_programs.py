from __future__ import annotations

import os
import shutil
import sys

import pytest

from sealpy.errors import MachineError
from sealpy.machines.programs import STARTING, demand, run, succeeds


@pytest.fixture
def _root_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.mark.usefixtures("_root_on_linux")
def test_missing_programs_are_told_all_at_once_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"debootstrap", "systemd-nspawn"}
    monkeypatch.setattr(shutil, "which", lambda name: None if name in missing else f"/usr/bin/{name}")

    with pytest.raises(MachineError, match="missing programs 'debootstrap', 'systemd-nspawn'") as caught:
        demand(STARTING)

    assert caught.value.hint == "type: apt-get install debootstrap systemd-container"


@pytest.mark.usefixtures("_root_on_linux")
def test_nothing_missing_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")

    demand(STARTING)


@pytest.mark.usefixtures("_root_on_linux")
def test_who_is_not_root_is_told_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(MachineError, match="needs root") as caught:
        demand(STARTING)

    assert "sudo" in caught.value.hint


def test_another_system_is_told_that_it_is_no_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(MachineError, match="needs Linux, this is 'darwin'"):
        demand(STARTING)


def test_a_program_gives_its_output_and_takes_its_input() -> None:
    assert run("cat", stdin="hello") == "hello"
    assert succeeds("true")
    assert not succeeds("false")


def test_a_program_that_fails_is_told_with_its_last_line() -> None:
    with pytest.raises(MachineError, match="failed: no such thing"):
        run("sh", "-c", "echo one >&2; echo no such thing >&2; exit 3")
