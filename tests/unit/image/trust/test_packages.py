"""Packages, as databases and programs tell of them."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.tarball import Range
from sealpy.image.trust.contents import laid_over, packages_of_layers, program_packages, read_layer
from sealpy.image.trust.packages import GO_MAGIC, go_packages, is_database, read_database

RELEASE = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n'
STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10
Description: GNU C Library
 Version: of a description is none

Package: gone
Status: deinstall ok not-installed
Architecture: amd64
Version: 1
"""
APK = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nT:the musl c library\n\nP:busybox\nV:1.36.1-r29\nA:x86_64\n"


def counted(data: bytes) -> bytes:
    """Write a text as Go does: its length first, seven bits a byte."""
    length, head = len(data), b""
    while length >= 0x80:
        head += bytes([length & 0x7F | 0x80])
        length >>= 7
    return head + bytes([length]) + data


def program(*modules: str, version: str = "go1.25.3", padding: int = 100_000) -> bytes:
    """Make what looks like a program of Go, as the linker has written it since 1.18."""
    text = b"s" * 16 + "\n".join(modules).encode() + b"\n" + b"e" * 16
    note = (GO_MAGIC + b"\x08\x02").ljust(32, b"\0") + counted(version.encode()) + counted(text)
    start = b"\x7fELF" + bytes(padding)
    return start + bytes(-len(start) % 16) + note + bytes(50_000)


def layer(files: Mapping[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    out.seek(0)
    return out


def purls(files: Mapping[str, str]) -> list[str]:
    return [package.purl for package in read_database(files)]


def test_debian_tells_of_what_is_installed() -> None:
    assert purls({"etc/os-release": RELEASE, "var/lib/dpkg/status": STATUS}) == [
        "pkg:generic/debian@12",
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12",
    ]


def test_an_image_without_a_package_manager_has_a_file_for_each_package() -> None:
    assert is_database("var/lib/dpkg/status.d/tzdata")
    assert not is_database("var/lib/dpkg/status.d/tzdata.md5sums")
    assert purls({"var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2024a\n"}) == [
        "pkg:deb/debian/tzdata@2024a"
    ]


def test_alpine_tells_of_what_is_installed() -> None:
    assert purls({"etc/os-release": "ID=alpine\nVERSION_ID=3.20.1\n", "lib/apk/db/installed": APK}) == [
        "pkg:generic/alpine@3.20.1",
        "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.1",
        "pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64&distro=alpine-3.20.1",
    ]


def test_a_program_of_go_tells_of_its_modules_those_that_replace_others_too() -> None:
    data = program(
        "path\tk8s.io/kubernetes/cmd/kubeadm",
        "mod\tk8s.io/kubernetes\t(devel)\t",
        "dep\tgithub.com/Masterminds/semver\tv3.3.0\th1:abc=",
        "dep\texample.com/old\tv1.0.0",
        "=>\texample.com/new\tv2.0.0\th1:def=",
        "build\t-buildmode=exe",
    )
    assert [package.purl for package in go_packages(data[data.index(GO_MAGIC) :])] == [
        "pkg:golang/stdlib@1.25.3",
        "pkg:golang/github.com/masterminds/semver@v3.3.0",
        "pkg:golang/example.com/new@v2.0.0",
    ]


@pytest.mark.parametrize(
    "note",
    [
        GO_MAGIC,
        GO_MAGIC + b"\x08\x00" + bytes(40),  # before Go 1.18: pointers
        (GO_MAGIC + b"\x08\x02").ljust(32, b"\0") + counted(b"no version") + counted(b""),
        (GO_MAGIC + b"\x08\x02").ljust(32, b"\0") + b"\xff\xff\xff\xff\xff\xff",
        (GO_MAGIC + b"\x08\x02").ljust(32, b"\0") + counted(b"go1.25") + b"\x80\x80\x04",
    ],
    ids=["cut", "pointers", "other text", "endless length", "text cut"],
)
def test_what_only_looks_like_the_note_of_go_is_passed_over(note: bytes) -> None:
    assert [package.name for package in go_packages(note)] in ([], ["stdlib"])


def test_a_program_is_read_in_place_behind_other_bytes(tmp_path: Path) -> None:
    data = program("dep\ta.example/b\tv1.0.0")
    (tmp_path / "blob").write_bytes(b"x" * 5001 + data + b"y" * 100)
    assert [p.name for p in program_packages(Range(tmp_path / "blob", 5001), len(data))] == ["stdlib", "a.example/b"]
    assert program_packages(Range(tmp_path / "blob", 5000), len(data)) == ()


def test_the_magic_in_the_middle_of_other_data_does_not_hide_the_note(tmp_path: Path) -> None:
    data = program("dep\ta.example/b\tv1.0.0")
    data = data[:64] + GO_MAGIC + data[64 + len(GO_MAGIC) :]
    (tmp_path / "blob").write_bytes(data)
    assert len(program_packages(Range(tmp_path / "blob"), len(data))) == 2
    assert len(read_layer(layer({"bin/x": data}), what="layer").programs["bin/x"]) == 2


@pytest.mark.parametrize("padding", [100_000, (1 << 20) - 40, (1 << 20) - 12, 3 << 20])
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_layer_tells_of_its_databases_and_programs(padding: int, compress: type[bytes]) -> None:
    files = {"./etc/os-release": RELEASE.encode(), "usr/bin/x": program("dep\ta.example/b\tv1.0.0", padding=padding)}
    found = read_layer(io.BytesIO(compress(layer(files).getvalue())), what="layer")
    assert found.databases == {"etc/os-release": RELEASE}
    assert [package.name for package in found.programs["usr/bin/x"]] == ["stdlib", "a.example/b"]


def test_a_later_layer_replaces_and_removes_what_an_earlier_one_had() -> None:
    below = {"var/lib/dpkg/status": STATUS.encode(), "bin/x": program("dep\ta.example/b\tv1")}
    above = {"var/lib/dpkg/status": b"Package: new\nVersion: 2\n", "bin/.wh.x": b""}
    layers = [read_layer(layer(files), what="layer") for files in (below, above)]
    assert [package.name for package in packages_of_layers(layers)] == ["new"]


def test_what_is_in_a_directory_that_a_later_layer_removes_or_replaces_is_gone() -> None:
    old, new = program("dep\told.example/b\tv1"), program("dep\tnew.example/b\tv1")
    below = {"var/lib/dpkg/status": STATUS.encode(), "opt/x": old, "opt/deep/x": old, "option": old}
    above = {"var/lib/.wh.dpkg": b"", "opt/y": new, "opt/.wh..wh..opq": b""}
    root = laid_over([read_layer(layer(files), what="layer") for files in (below, above)])
    assert (sorted(root.programs), root.databases) == (["opt/y", "option"], {})


def test_what_is_no_tar_is_told() -> None:
    with pytest.raises(ImageError, match="layer 7: cannot be read"):
        read_layer(io.BytesIO(b"\x28\xb5\x2f\xfd" + bytes(1000)), what="layer 7")
