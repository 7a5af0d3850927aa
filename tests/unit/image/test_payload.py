"""Many files as one stream."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.payload import Item, Range, TreePayload
from sealpy.image.tarball import Member


def stream(payload: TreePayload) -> bytes:
    return b"".join(payload.chunks())


def items(blob: Path) -> list[Item]:
    blob.write_bytes(bytes(range(256)) * 1024)
    return [
        Item(Member("bin", "dir", 0o755)),
        Item(Member("bin/big", "file", 0o755, 200_000), Range(blob, 1000)),
        Item(Member("bin/empty", "file", 0o644, 0), Range(blob, 9)),
        Item(Member("bin/link", "symlink", 0o777, target="big")),
        Item(Member("note", "file", 0o600, 5), b"hello"),
    ]


def test_the_stream_is_a_tar_of_the_items_in_their_order(tmp_path: Path) -> None:
    payload = TreePayload(items(tmp_path / "blob"))
    with tarfile.open(fileobj=io.BytesIO(stream(payload))) as tar:
        assert [(m.name, m.mode) for m in tar] == [
            ("bin", 0o755),
            ("bin/big", 0o755),
            ("bin/empty", 0o644),
            ("bin/link", 0o777),
            ("note", 0o600),
        ]
        big, note = tar.extractfile("bin/big"), tar.extractfile("note")
        assert big is not None
        assert note is not None
        assert big.read() == (tmp_path / "blob").read_bytes()[1000:201_000]
        assert note.read() == b"hello"


def test_the_size_is_known_before_and_every_try_gives_the_same_bytes(tmp_path: Path) -> None:
    payload = TreePayload(items(tmp_path / "blob"))
    assert payload.size == len(stream(payload))
    assert stream(payload) == stream(payload)


def test_no_piece_is_larger_than_64_kib_and_small_files_share_one(tmp_path: Path) -> None:
    many = [Item(Member(f"{n:04}", "file", 0o644, 10), b"0123456789") for n in range(1000)]
    sizes = [len(piece) for piece in TreePayload([*items(tmp_path / "blob"), *many]).chunks()]
    assert max(sizes) <= 64 * 1024
    assert min(sizes) > 0
    assert len(sizes) < 25


def test_long_and_foreign_names_survive() -> None:
    names = ["d/" * 60 + "x", "ü/ß.yaml", "a" * 150]
    payload = TreePayload(Item(Member(name, size=1), b"1") for name in names)
    assert payload.size == len(stream(payload))
    with tarfile.open(fileobj=io.BytesIO(stream(payload))) as tar:
        assert tar.getnames() == names


def test_a_blob_that_ends_too_early_stops_the_stream(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"short")
    payload = TreePayload([Item(Member("x", size=100), Range(tmp_path / "blob", 2))])
    with pytest.raises(ImageError, match="ends too early"):
        stream(payload)


def test_an_empty_payload_is_an_empty_tar() -> None:
    assert stream(TreePayload([])) == bytes(1024)
