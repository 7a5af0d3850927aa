from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealpy.errors import StoreError
from sealpy.image.building.workspace import left, sweep, workspace


def test_a_workspace_is_private_and_gone_afterwards_whatever_was_put_in_it(tmp_path: Path) -> None:
    with workspace(tmp_path) as work:
        assert work.stat().st_mode & 0o777 == 0o700
        (work / "closed").mkdir()
        (work / "closed" / "file").write_text("x")
        (work / "closed" / "link").symlink_to("/etc")
        (work / "closed").chmod(0)
    assert list((tmp_path / "work").iterdir()) == []
    assert Path("/etc").is_dir()


def test_it_is_gone_also_when_the_build_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), workspace(tmp_path):
        raise ValueError("x")
    assert list((tmp_path / "work").iterdir()) == []


def test_what_a_killed_build_left_is_removed_and_what_another_works_in_stays(tmp_path: Path) -> None:
    left = tmp_path / "work" / "left"
    (left / "deep").mkdir(parents=True)
    with workspace(tmp_path) as one, workspace(tmp_path) as two:
        assert not left.exists()
        assert one.is_dir()
        assert two.is_dir()


def test_what_a_killed_build_left_is_counted_and_what_another_works_in_is_not(tmp_path: Path) -> None:
    assert left(tmp_path) == []
    file = tmp_path / "work" / "left" / "deep" / "file"
    with workspace(tmp_path) as work:
        (work / "ours").touch()
        file.parent.mkdir(parents=True)
        file.write_text("four")
        assert left(tmp_path) == [file]
        sweep(tmp_path)
        assert (work / "ours").exists()
    assert left(tmp_path) == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no space left"), workspace(tmp_path):
        raise OSError(28, os.strerror(28))
