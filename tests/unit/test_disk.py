"""What sealpy writes on this machine is whole, and for its owner alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from sealpy.disk import alone, make_private, write_new, write_whole


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_directory_is_private_and_so_is_every_one_above_it_that_was_missing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)

    make_private(tmp_path / "there" / "home" / "clusters" / "mine")
    make_private(tmp_path / "there" / "home" / "clusters" / "mine")

    made = [tmp_path / "there" / path for path in ("home", "home/clusters", "home/clusters/mine")]
    assert [mode(path) for path in made] == [0o700] * 3
    assert mode(tmp_path / "there") == 0o755, "what was there is somebody's choice"


def test_a_file_is_replaced_whole_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "password", "secret\n")
    write_whole(tmp_path / "password", b"other\n")

    assert (tmp_path / "password").read_text() == "other\n"
    assert mode(tmp_path / "password") == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "password"]


def test_a_new_file_takes_the_place_of_none(tmp_path: Path) -> None:
    write_new(tmp_path / "Clusterfile", "mine\n")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "Clusterfile", "other\n")

    assert (tmp_path / "Clusterfile").read_text() == "mine\n"
    assert mode(tmp_path / "Clusterfile") == 0o644
    assert list(tmp_path.iterdir()) == [tmp_path / "Clusterfile"]


def test_a_file_that_others_may_read_says_so(tmp_path: Path) -> None:
    write_whole(tmp_path / "key.pub", "ssh-ed25519 AAAA\n", mode=0o644)
    assert mode(tmp_path / "key.pub") == 0o644


def test_what_cannot_be_written_leaves_the_old_content(tmp_path: Path) -> None:
    write_whole(tmp_path / "record", "old")

    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "record", "new \ud800")

    assert (tmp_path / "record").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "record"]


def in_place(path: Path, file: BinaryIO) -> None:
    del path
    file.write(b"one\n")


def by_another_file(path: Path, file: BinaryIO) -> None:
    del file
    write_whole(path, "one\n")  # who waits, waits for a file that no longer bears the name


@pytest.mark.parametrize("write", [in_place, by_another_file])
def test_a_file_that_is_held_is_waited_for_and_read_as_it_is_then(
    write: Callable[[Path, BinaryIO], None], tmp_path: Path
) -> None:
    path = tmp_path / "known_hosts"
    seen: list[bytes] = []

    def second() -> None:
        with alone(path) as file:
            seen.append(file.read())

    with alone(path) as file:
        assert file.read() == b""
        other = threading.Thread(target=second)
        other.start()
        write(path, file)
    other.join(10)

    assert seen == [b"one\n"]
    assert mode(path) == 0o600


def test_what_is_written_to_a_held_file_stands_behind_what_was_read(tmp_path: Path) -> None:
    write_whole(tmp_path / "lines", "one\n")
    with alone(tmp_path / "lines") as file:
        file.read()
        file.write(b"two\n")
    assert (tmp_path / "lines").read_text() == "one\ntwo\n"


def test_a_file_that_goes_away_while_its_lock_is_checked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    fstat = os.fstat

    def gone(descriptor: int) -> os.stat_result:
        path.unlink()  # another had the lock before us, and took the file away
        monkeypatch.setattr(os, "fstat", fstat)
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", gone)
    with alone(path) as file:
        file.write(b"mine")
    assert path.read_bytes() == b"mine"
