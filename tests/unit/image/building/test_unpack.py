"""ADD of archives: what is in them, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.building.unpack import unpacked
from sealpy.image.tarball import read

PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def member(
    name: str, kind: bytes = tarfile.REGTYPE, *, data: bytes = b"", link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode, info.uid, info.mtime = kind, len(data), link, mode, 1001, 12345
    return info, data


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for info, data in members:
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


GOOD = tar(
    member("./", tarfile.DIRTYPE, mode=0o755),
    member("./bin", tarfile.DIRTYPE, mode=0o750),
    member("bin/tool", data=b"#!", mode=0o4755),
    member("bin/same", tarfile.LNKTYPE, link="bin/tool", mode=0o4755),
    member("bin/link", tarfile.SYMTYPE, link="../etc/x"),
    member("a" * 150 + "/x", data=b"long"),
    member("twice", data=b"1"),
    member("twice", data=b"22"),
)


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_archive_is_told_by_its_content_and_gives_all_that_is_in_it(tmp_path: Path, packing: str) -> None:
    (tmp_path / "no-suffix").write_bytes(PACKINGS[packing](GOOD))
    content = unpacked(tmp_path / "no-suffix", work=tmp_path)
    assert content is not None
    assert {m.path: (m.kind, m.mode, m.target) for m, _ in content} == {
        "bin": ("dir", 0o750, ""),
        "bin/tool": ("file", 0o4755, ""),
        "bin/same": ("file", 0o4755, ""),
        "bin/link": ("symlink", 0o777, "../etc/x"),
        "a" * 150 + "/x": ("file", 0o644, ""),
        "twice": ("file", 0o644, ""),
    }
    bytes_ = {m.path: b"".join(read(source, m.size)) for m, source in content if m.kind == "file"}
    assert (bytes_["bin/tool"], bytes_["bin/same"], bytes_["twice"]) == (b"#!", b"#!", b"22")
    assert {(m.uid, m.gid) for m, _ in content} == {(0, 0)}


@pytest.mark.parametrize(
    "data",
    [b"", b"text", bytes(2048), gzip.compress(b"text", mtime=0), gzip.compress(b"x" * 5000, mtime=0), b"PK\x03\x04"],
)
def test_what_is_no_archive_is_an_ordinary_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar.gz").write_bytes(data)
    assert unpacked(tmp_path / "x.tar.gz", work=tmp_path) is None


REFUSED = [
    (tar(member("../x", data=b"1")), "member '../x' leads out"),
    (tar(member("a/../../x", data=b"1")), "leads out"),
    (
        tar(member("a", tarfile.SYMTYPE, link="/etc"), member("a/x", data=b"1")),
        "stands below 'a', which is no directory",
    ),
    (tar(member("a", data=b"1"), member("a/b/c", data=b"1")), "stands below 'a', which is no directory"),
    (tar(member("null", tarfile.CHRTYPE)), "neither file, directory nor link"),
    (tar(member("pipe", tarfile.FIFOTYPE)), "neither file, directory nor link"),
    (tar(member("a", tarfile.LNKTYPE, link="../x")), "leads out"),
    (tar(member("a", tarfile.LNKTYPE, link="never")), "which is no file in it"),
    (gzip.compress(GOOD, mtime=0)[:-20], "a damaged archive"),
    (gzip.compress(GOOD)[:200] + b"broken" + gzip.compress(GOOD)[206:], "a damaged archive"),
    (b"\x28\xb5\x2f\xfd" + bytes(600), "packed by zstd"),
]


@pytest.mark.parametrize(("data", "reason"), REFUSED)
def test_what_would_do_harm_or_is_damaged_is_refused_by_name(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "bad").write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        unpacked(tmp_path / "bad", work=tmp_path)
    assert caught.value.message.startswith(f"{tmp_path / 'bad'}: ")
    assert caught.value.hint


def test_a_truncated_plain_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(tar(member("x", data=b"1" * 5000))[:2000])
    with pytest.raises(ImageError, match="damaged"):
        unpacked(tmp_path / "bad", work=tmp_path)


def test_a_full_disk_is_not_taken_for_a_damaged_archive(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(gzip.compress(GOOD))
    with pytest.raises(OSError, match="No such file or directory"):
        unpacked(tmp_path / "good", work=tmp_path / "gone")
