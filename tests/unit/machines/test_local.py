"""What a lab does, without the kernel's part: machines are records here. The real thing is tests/e2e/test_lab.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import ConfigError, MachineError
from sealpy.machines import local
from sealpy.machines.local import Lab, labs
from sealpy.machines.network import Wire
from sealpy.machines.recipe import DEBIAN
from sealpy.machines.records import LabRecord, MachineRecord

NAME = "unit-test"


@pytest.fixture(autouse=True)
def _no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "demand", lambda _: None)
    for name in ("claim", "take_down", "raise_up", "unplug"):
        monkeypatch.setattr(Wire, name, lambda *_: None)
    monkeypatch.setattr(Wire, "machines", lambda _: set())
    monkeypatch.setattr(Wire, "leftovers", lambda _: [])


def recorded(home: Path, *names: str) -> Lab:
    """Make a lab whose machines are written down and do not run."""
    directory = home / "lab" / NAME
    directory.mkdir(parents=True)
    LabRecord("10.99.7.0/24").save(directory / "lab.json")
    for index, name in enumerate(names, start=1):
        (directory / "machines" / name).mkdir(parents=True)
        address = f"10.99.7.{10 + index}"
        MachineRecord(name=name, address=address, base="base-1").save(directory / "machines" / name / "machine.json")
    return Lab(NAME, home)


def test_machines_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    lab = recorded(tmp_path, f"{NAME}-10", f"{NAME}-9")

    assert [machine.name for machine in lab.machines()] == [f"{NAME}-9", f"{NAME}-10"]


def test_a_machine_tells_how_to_log_in(tmp_path: Path) -> None:
    (machine,) = recorded(tmp_path, f"{NAME}-1").machines()

    assert (machine.user, machine.address) == ("root", "10.99.7.11")
    assert machine.private_key == tmp_path / "lab" / NAME / "id_ed25519"
    assert not machine.running


def test_a_directory_without_a_record_is_no_machine_yet_but_is_removed(tmp_path: Path) -> None:
    lab = recorded(tmp_path)
    (tmp_path / "lab" / NAME / "machines" / f"{NAME}-1").mkdir(parents=True)

    assert lab.machines() == ()
    assert lab.down()[0].startswith(f"machine {NAME}-1:")


def test_down_removes_everything_and_a_second_time_finds_nothing(tmp_path: Path) -> None:
    lab = recorded(tmp_path, f"{NAME}-1", f"{NAME}-2")

    assert lab.residue() == [f"file {tmp_path / 'lab' / NAME}"]
    assert len(lab.down()) == 3
    assert lab.down() == ()
    assert lab.residue() == []
    assert list(tmp_path.iterdir()) == []


def test_down_of_one_machine_leaves_the_others_and_what_they_share(tmp_path: Path) -> None:
    lab = recorded(tmp_path, f"{NAME}-1", f"{NAME}-2")

    lab.down([f"{NAME}-2"])

    assert [machine.name for machine in lab.machines()] == [f"{NAME}-1"]
    assert labs(tmp_path) == (NAME,)


def test_down_of_a_machine_that_there_is_not_removes_nothing(tmp_path: Path) -> None:
    lab = recorded(tmp_path, f"{NAME}-1")

    with pytest.raises(MachineError, match=f"no machine '{NAME}-7'"):
        lab.down([f"{NAME}-1", f"{NAME}-7"])

    assert len(lab.machines()) == 1


def test_down_with_damaged_records_still_removes_everything(tmp_path: Path) -> None:
    lab = recorded(tmp_path, f"{NAME}-1")
    (tmp_path / "lab" / NAME / "machines" / f"{NAME}-1" / "machine.json").write_text("{")
    (tmp_path / "lab" / NAME / "lab.json").write_text("{")

    lab.down()

    assert lab.residue() == []


def test_down_keeps_the_base_for_the_next_time_and_those_that_other_labs_use(tmp_path: Path) -> None:
    lab = recorded(tmp_path, f"{NAME}-1")
    other = tmp_path / "lab/other/machines/other-1"
    other.mkdir(parents=True)
    MachineRecord(name="other-1", address="10.99.8.11", base="base-in-use").save(other / "machine.json")
    for name in (DEBIAN.name, "base-in-use", "base-of-old", "base-1.part"):
        (tmp_path / "lab" / name).mkdir()

    removed = lab.down()

    assert removed[-2:] == ("unused base-1.part", "unused base-of-old")
    assert {path.name for path in (tmp_path / "lab").iterdir()} == {DEBIAN.name, "base-in-use", "other"}


@pytest.mark.parametrize("count", [0, -1, 201])
def test_a_number_of_machines_that_makes_no_sense_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(ConfigError, match=f"{count} machines"):
        Lab(NAME, tmp_path).up(count)
