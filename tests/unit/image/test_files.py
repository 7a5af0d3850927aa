"""The lists of files that go with an image."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.files import Entry, decode_index, encode_index, merge, scan

LAYER = "sha256:" + "0" * 64


def tar(path: Path, *members: tuple[str, bytes, bytes, str]) -> Path:
    """Write a tar of (name, type, content, link)."""
    with tarfile.open(path, "w") as out:
        for name, kind, data, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), link
            out.addfile(info, io.BytesIO(data))
    return path


def test_a_list_is_read_back_as_it_was_written() -> None:
    entries = (
        Entry("etc", "dir", 0o755),
        Entry("etc/x", "file", 0o644, 3, "ab" * 32, LAYER, 1024),
        Entry("lib", "symlink", 0o777, target="usr/lib"),
    )
    [(digest, back)] = decode_index(encode_index({LAYER: entries})).items()
    assert digest == LAYER
    assert [(e.path, e.kind, e.mode, e.size, e.sha256, e.offset, e.target) for e in back] == [
        (e.path, e.kind, e.mode, e.size, e.sha256, e.offset, e.target) for e in entries
    ]


@pytest.mark.parametrize(
    "row",
    [
        ["../x", "file", 420, 1, "", 0, ""],
        ["/x", "file", 420, 1, "", 0, ""],
        ["a//b", "file", 420, 1, "", 0, ""],
        ["x", "device", 420, 1, "", 0, ""],
        ["x", "file", 420, -1, "", 0, ""],
        ["x", "file", "rw", 1, "", 0, ""],
        ["x", "symlink", 511, 0, "", 0, "../etc/shadow"],
        ["x\x1b[2J", "file", 420, 1, "", 0, ""],
        ["d/.wh.", "file", 420, 0, "", 0, ""],
        ["x"],
        None,
    ],
)
def test_a_list_that_would_lead_out_of_the_rootfs_or_is_none_is_refused(row: object) -> None:
    with pytest.raises(ImageError, match="not a list of files"):
        decode_index(json.dumps({"schemaVersion": 1, "layers": {LAYER: [row]}}).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"[" * 100_000, b'{"schemaVersion": 2, "layers": {}}'])
def test_a_document_that_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        decode_index(data)


def test_links_of_a_foreign_layer_are_understood(tmp_path: Path) -> None:
    path = tar(
        tmp_path / "layer",
        ("./bin/", tarfile.DIRTYPE, b"", ""),
        ("./bin/a", tarfile.REGTYPE, b"hello", ""),
        ("./bin/b", tarfile.LNKTYPE, b"", "./bin/a"),
        ("./bin/c", tarfile.SYMTYPE, b"", "a"),
    )
    found = {entry.path: entry for entry in scan(path, LAYER)}
    assert (found["bin/b"].kind, found["bin/b"].offset, found["bin/b"].sha256) == (
        "file", found["bin/a"].offset, found["bin/a"].sha256,
    )  # fmt: skip
    assert found["bin/c"].target == "a"


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (("../x", tarfile.REGTYPE, b"", ""), "leads out of the image"),
        (("dev/null", tarfile.CHRTYPE, b"", ""), "a device"),
        (("x", tarfile.LNKTYPE, b"", "nowhere"), "no file before it"),
        (("x", tarfile.LNKTYPE, b"", "/etc/shadow"), "an absolute name"),
        (("x", tarfile.LNKTYPE, b"", "../../etc/shadow"), "no file before it"),
        (("/etc/passwd", tarfile.REGTYPE, b"", ""), "'/etc/passwd' is an absolute name"),
        (("a/x", tarfile.SYMTYPE, b"", "../../etc"), "a link to '../../etc', which leads out"),
        (("a\nb", tarfile.REGTYPE, b"", ""), "a control character"),
    ],
)
def test_what_must_not_be_in_a_layer_is_refused(
    tmp_path: Path, member: tuple[str, bytes, bytes, str], reason: str
) -> None:
    with pytest.raises(ImageError, match=reason):
        scan(tar(tmp_path / "layer", member), LAYER)


def test_a_file_behind_a_link_of_the_same_layer_is_refused(tmp_path: Path) -> None:
    link, behind = ("etc", tarfile.SYMTYPE, b"", "/etc"), ("etc/passwd", tarfile.REGTYPE, b"", "")
    for members in ([link, behind], [behind, link]):
        with pytest.raises(ImageError, match="'etc/passwd' stands below 'etc', which is a symlink"):
            scan(tar(tmp_path / "layer", *members), LAYER)


@pytest.mark.parametrize("target", ["/usr/lib", "../lib", "./x/../../lib", "a"])
def test_links_within_the_image_and_to_files_of_the_host_are_taken(tmp_path: Path, target: str) -> None:
    [entry] = scan(tar(tmp_path / "layer", ("a/b", tarfile.SYMTYPE, b"", target)), LAYER)
    assert entry.target == target


def test_many_whiteouts_over_many_files_are_laid_over_each_other_at_once() -> None:
    below = [Entry(f"d{n}/x") for n in range(20_000)]
    above = [Entry(f".wh.d{n}") for n in range(1, 20_000)]
    assert [*merge([below, above])] == ["d0", "d0/x"], "takes minutes when each looks at all"


def test_a_layer_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    path = tar(tmp_path / "layer", ("x", tarfile.REGTYPE, bytes(5000), ""))
    os.truncate(path, 2000)
    with pytest.raises(ImageError):
        scan(path, LAYER)


def test_a_directory_in_the_place_of_a_link_hides_it() -> None:
    files = merge([[Entry("lib", "symlink", target="usr/lib")], [Entry("lib/x", "file")]])
    assert [(entry.path, entry.kind) for entry in files.values()] == [("lib", "dir"), ("lib/x", "file")]
