"""tar streams that depend on nothing but their content."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.tarball import BLOCK, File, Member, Range, header, ordered, read, tar_size, walk, write


@pytest.mark.parametrize(
    "member",
    [
        Member("bin/tool", "file", 0o755, 12),
        Member("etc", "dir", 0o755),
        Member("lib", "symlink", 0o777, target="usr/lib"),
        Member("a" * 99 + "/" + "b" * 99, size=1),
        Member("a" * 200, size=1),
        Member("ä.yaml", size=1),
        Member("link", "symlink", 0o777, target="t" * 150),
        Member("huge", size=9 << 30),
    ],
)
def test_what_is_written_into_a_header_is_read_out_of_it(member: Member) -> None:
    with tarfile.open(fileobj=io.BytesIO(header(member) + bytes(2 * BLOCK))) as tar:
        info = tar.next()
    assert info is not None
    assert (info.name, info.mode, info.size, info.linkname) == (member.path, member.mode, member.size, member.target)
    assert (info.uid, info.gid, info.mtime, info.uname, info.gname) == (0, 0, 0, "", "")


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513])
def test_the_size_of_a_tar_is_known_before_it_is_written(size: int) -> None:
    content = walk({"dir/file": bytes(size), "x" * 150: b"1"})
    assert len(b"".join(write(content))) == tar_size(member for member, _ in content)


def test_entries_are_sorted_by_path_parents_first_and_the_later_of_two_counts() -> None:
    content = ordered([(Member("a-b/x", size=1), b"1"), (Member("a/y", size=1), b"1"), (Member("a/y", size=2), b"22")])
    assert [(member.path, member.kind, member.size) for member, _ in content] == [
        ("a", "dir", 0),
        ("a/y", "file", 2),
        ("a-b", "dir", 0),
        ("a-b/x", "file", 1),
    ]


def test_a_range_is_read_and_nothing_around_it(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"0123456789")
    assert b"".join(read(Range(tmp_path / "blob", 3), 4)) == b"3456"


@pytest.mark.parametrize("now", [b"shorter", b"much longer than it was before"])
def test_a_file_that_changes_while_it_is_read_stops_the_writing(tmp_path: Path, now: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first content")
    content = walk({"file": path})
    path.write_bytes(now)
    with pytest.raises(ImageError, match="file: changed while it was read"):
        list(write(content))


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="neither file, directory nor symbolic link"):
        walk(tmp_path)


@pytest.mark.skipif(shutil.which("tar") is None, reason="tar is not installed")
def test_the_tar_of_the_system_unpacks_it_without_a_word(tmp_path: Path) -> None:
    content = walk({"deep/" * 30 + "x": b"1", "ü": b"2", "run": File(b"#!", 0o755)})
    (tmp_path / "x.tar").write_bytes(b"".join(write(content)))
    done = subprocess.run(["tar", "-xf", "x.tar"], cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr == b""
    assert (tmp_path / "deep" / "deep").is_dir()
    assert (tmp_path / "ü").read_bytes() == b"2"
