"""Who holds a lock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealpy.image.store.locks import holders


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "lock").touch()
    return tmp_path / "lock"


def listed(path: Path, *, pid: int, kind: str = "") -> str:
    status = path.stat()
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    return f"1: {kind}FLOCK  ADVISORY  READ {pid} {device} 0 EOF\n"


def test_the_holders_of_a_lock_are_told(tmp_path: Path, file: Path) -> None:
    other = "2: POSIX  ADVISORY  WRITE 7 00:16:1 0 EOF\n"
    (tmp_path / "locks").write_text(listed(file, pid=31) + other + listed(file, pid=4) + listed(file, pid=31))
    assert holders(file, locks=tmp_path / "locks") == (4, 31)


def test_those_who_wait_and_those_of_other_containers_are_not(tmp_path: Path, file: Path) -> None:
    (tmp_path / "locks").write_text(listed(file, pid=31, kind="-> ") + listed(file, pid=0) + "\n")
    assert holders(file, locks=tmp_path / "locks") == ()


def test_a_system_that_does_not_tell_is_no_error(tmp_path: Path, file: Path) -> None:
    assert holders(file, locks=tmp_path / "nothing") == ()
    assert holders(tmp_path / "nothing") == ()
