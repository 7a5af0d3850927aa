"""Where an upload goes on, noted in a file."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sealpy.image.remote.begun import begun_upload


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "x.upload"


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file grow, as on a disk that is full."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def cut(note: Path, *addresses: str) -> None:
    """Begin an upload that goes on at several addresses, one after the other, and come to no end."""
    with suppress(KeyboardInterrupt), begun_upload(note) as begun:
        for address in addresses:
            begun.note(address)
        raise KeyboardInterrupt


def test_the_last_address_is_known_to_the_next_try_and_forgotten_when_that_ends_well(note: Path) -> None:
    cut(note, "https://example.com/long/uploads/1?state=abc", "https://example.com/2")
    with begun_upload(note) as begun:
        assert begun.at == "https://example.com/2"
        begun.note("https://example.com/3")
    assert not note.exists()


@pytest.mark.parametrize("data", [b"", b"https://example.com/half", b"\xff\xfe"])
def test_half_of_an_address_is_none(note: Path, data: bytes) -> None:
    note.write_bytes(data)
    with begun_upload(note) as begun:
        assert begun.at == ""


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_does_not_keep_an_upload_from_its_way(note: Path) -> None:
    cut(note, "https://example.com/1")
    with begun_upload(note) as begun:
        assert begun.at == ""
        begun.note("https://example.com/2")
        assert begun.at == "https://example.com/2"


def test_a_place_that_cannot_be_written_to_is_done_without(tmp_path: Path) -> None:
    with begun_upload(tmp_path / "missing" / "x.upload") as begun:
        begun.note("https://example.com/1")
        assert begun.at == "https://example.com/1"
