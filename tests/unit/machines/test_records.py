from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import MachineError
from sealpy.machines.records import LabRecord, MachineRecord


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    machine = MachineRecord(name="lab-1", address="10.99.0.11", base="base-1", cpus=1.5, memory=2**30)
    lab = LabRecord(subnet="10.99.0.0/24")

    machine.save(tmp_path / "machine.json")
    lab.save(tmp_path / "lab.json")

    assert MachineRecord.load(tmp_path / "machine.json") == machine
    assert LabRecord.load(tmp_path / "lab.json") == lab


def test_no_record_is_none(tmp_path: Path) -> None:
    assert MachineRecord.load(tmp_path / "machine.json") is None
    assert LabRecord.load(tmp_path / "lab.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "lab-1"}'])
def test_a_damaged_record_is_told_with_its_file_and_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "machine.json").write_text(text)

    with pytest.raises(MachineError, match=r"machine\.json: not ") as caught:
        MachineRecord.load(tmp_path / "machine.json")

    assert "sealpy lab down" in caught.value.hint
