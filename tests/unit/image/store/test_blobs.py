"""Blobs on their way into the store."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sealpy.errors import DigestMismatchError, StoreError
from sealpy.image.manifest import digest_of
from sealpy.image.store.blobs import Incoming, is_blob_name, telling_full_disk

DATA = b"0123456789"
DIGEST = digest_of(DATA)


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    for name in ("incoming", "blobs"):
        (tmp_path / name).mkdir()
    return tmp_path / "blobs"


@pytest.fixture
def incoming(blobs: Path) -> Incoming:
    return Incoming(blobs.parent / "incoming", blobs=blobs)


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def begin(incoming: Incoming, data: bytes) -> None:
    """Write the beginning of a blob, and be cut."""
    with incoming.partial(DIGEST) as writer:
        writer.write(data)


def test_what_was_begun_is_gone_on_with(incoming: Incoming, blobs: Path) -> None:
    begin(incoming, DATA[:4])
    with incoming.partial(DIGEST) as writer:
        assert writer.size == 4
        writer.write(DATA[4:])
        assert writer.commit(DIGEST) == DIGEST
    assert (blobs / DIGEST[7:]).read_bytes() == DATA
    assert names(blobs.parent / "incoming") == []


def test_a_sender_that_cannot_go_on_begins_again(incoming: Incoming, blobs: Path) -> None:
    begin(incoming, b"other bytes, and more of them")
    with incoming.partial(DIGEST) as writer:
        writer.restart()
        assert writer.size == 0
        writer.write(DATA)
        writer.commit(DIGEST)
    assert (blobs / DIGEST[7:]).read_bytes() == DATA


def test_wrong_bytes_are_not_gone_on_with(incoming: Incoming, blobs: Path) -> None:
    begin(incoming, b"wrong")
    with pytest.raises(DigestMismatchError), incoming.partial(DIGEST) as writer:
        writer.commit(DIGEST)
    assert names(blobs.parent / "incoming") == names(blobs) == []


def test_what_another_finished_meanwhile_leaves_no_partial_file(incoming: Incoming, blobs: Path) -> None:
    begin(incoming, DATA[:4])
    (blobs / DIGEST[7:]).write_bytes(DATA)
    with incoming.partial(DIGEST):
        pass
    assert names(blobs.parent / "incoming") == []


def test_a_blob_that_lost_bytes_is_written_again(incoming: Incoming, blobs: Path) -> None:
    (blobs / DIGEST[7:]).write_bytes(DATA[:4])
    with incoming.fresh() as writer:
        writer.write(DATA)
        writer.commit()
    assert (blobs / DIGEST[7:]).read_bytes() == DATA


def test_a_sweep_takes_what_is_nobodys_and_leaves_what_was_begun(incoming: Incoming, blobs: Path) -> None:
    directory = blobs.parent / "incoming"
    begin(incoming, DATA[:4])
    (directory / "tmpkilled").write_bytes(b"left by a killed writer")
    with incoming.fresh() as writer:
        writer.write(DATA)
        assert len(incoming.left()) == 2
        assert incoming.sweep() == len(b"left by a killed writer")
        writer.commit()
    assert names(directory) == [f"{DIGEST[7:]}.partial"]
    assert incoming.clear() == 4
    assert names(directory) == []


def test_a_clearing_leaves_what_is_being_written(incoming: Incoming, blobs: Path) -> None:
    with incoming.partial(DIGEST) as writer:
        writer.write(DATA)
        assert incoming.clear() == 0
        writer.commit(DIGEST)
    assert names(blobs) == [DIGEST[7:]]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_what_to_do(number: int, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught, telling_full_disk(tmp_path):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path) in caught.value.message
    assert "sealpy prune" in caught.value.hint


def test_other_errors_of_the_system_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), telling_full_disk(tmp_path):
        raise PermissionError(errno.EACCES, "no")


@pytest.mark.parametrize(("name", "is_one"), [("a" * 64, True), ("A" * 64, False), ("a" * 63, False), (".nfs1", False)])
def test_a_blob_has_the_name_of_its_digest(name: str, *, is_one: bool) -> None:
    assert is_blob_name(name) is is_one
