"""The entries of a tar, read one by one."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.errors import ImageError
from sealpy.image.tar_entries import TarEntry, tar_entries

LONG = "/".join(["a-rather-long-name-of-a-directory"] * 8) + "/ünïcode"


def entries(path: Path, most: int = 100) -> list[TarEntry]:
    return list(tar_entries(path, what="the tar", most=most))


def info(
    name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 0, target: str = "", **more: object
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, size, target
    for key, value in more.items():
        setattr(made, key, value)
    return made


@pytest.mark.parametrize("how", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_are_read_as_they_were_written(tmp_path: Path, how: int) -> None:
    with tarfile.open(tmp_path / "t", "w", format=how) as tar:
        tar.addfile(info("dir", tarfile.DIRTYPE, mode=0o750))
        tar.addfile(info(LONG, size=5, mode=0o4755, uid=3_000_000, gid=7), io.BytesIO(b"hello"))
        tar.addfile(info("link", tarfile.SYMTYPE, target=LONG))
        tar.addfile(info("same", tarfile.LNKTYPE, target=LONG))
        tar.addfile(info("last", size=1), io.BytesIO(b"x"))
    found = {entry.name: entry for entry in entries(tmp_path / "t")}
    assert [entry.kind for entry in found.values()] == ["dir", "file", "symlink", "hardlink", "file"]
    file = found[LONG]
    assert (file.mode, file.size, file.uid, file.gid) == (0o4755, 5, 3_000_000, 7)
    assert (tmp_path / "t").read_bytes()[file.offset : file.offset + 5] == b"hello"
    assert found["link"].target == found["same"].target == LONG


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300), st.binary(max_size=1500)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_the_standard_library_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("tar") / "t"
    with tarfile.open(path, "w") as tar:
        for name, data in files:
            tar.addfile(info(f"x{name.rstrip('/')}x", size=len(data)), io.BytesIO(data))
    whole = path.read_bytes()
    assert [(e.name, whole[e.offset : e.offset + e.size]) for e in entries(path)] == [
        (f"x{name.rstrip('/')}x", data) for name, data in files
    ]


def test_a_header_about_the_whole_archive_is_passed_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t", "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "3a1f"}) as tar:
        tar.addfile(info("a"))
    assert [entry.name for entry in entries(tmp_path / "t")] == ["a"]


def header(name: str, kind: bytes, size: int = 0) -> bytes:
    return info(name, kind, size=size).tobuf(tarfile.USTAR_FORMAT)


END = bytes(1024)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b"no tar at all", "in the middle of a header"),
        (b"x" * 1024, "checksum|invalid|bad"),
        (header("dev/sda", tarfile.BLKTYPE) + END, "'dev/sda' is a device"),
        (header("dev/tty", tarfile.CHRTYPE) + END, "'dev/tty' is a device"),
        (header("pipe", tarfile.FIFOTYPE) + END, "'pipe' is a pipe"),
        (header("thin", tarfile.GNUTYPE_SPARSE) + END, "'thin' is a sparse file"),
        (header("odd", b"Z") + END, "unknown type"),
        (header("big", tarfile.REGTYPE, 8**11 - 1) + END, "ends behind the end"),
        (header("x", tarfile.XHDTYPE, 1 << 30) + END, "a header of 1073741824 bytes"),
        (header("x", tarfile.XHDTYPE, 10), "in the middle of a header"),
        (header("x", tarfile.XHDTYPE, 9) + b"99 path=x".ljust(512, b"\0") + END, "pax header that is none"),
        (header("x", tarfile.XHDTYPE, 9) + b"path=etc\n".ljust(512, b"\0") + END, "pax header that is none"),
        (header("x", tarfile.GNUTYPE_LONGNAME, 2) + b"\xff\xfe".ljust(512, b"\0") + END, "not UTF-8"),
        (header("a", tarfile.REGTYPE) * 101 + END, "more than 100 entries"),
    ],
)
def test_what_is_no_tar_of_ours_is_refused_by_what_it_is(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "t").write_bytes(data)
    with pytest.raises(ImageError, match=f"the tar: .*({reason})"):
        entries(tmp_path / "t")


@pytest.mark.parametrize("record", [b"22 GNU.sparse.major=1\n", b"11 size=-1\n"])
def test_a_header_extension_that_lies_about_the_bytes_is_refused(tmp_path: Path, record: bytes) -> None:
    extension = header("x", tarfile.XHDTYPE, len(record)) + record.ljust(512, b"\0")
    (tmp_path / "t").write_bytes(extension + header("a", tarfile.REGTYPE) + END)
    with pytest.raises(ImageError, match=r"sparse|end of the tar"):
        entries(tmp_path / "t")
