"""Packages that RPM's database tells of."""

from __future__ import annotations

import io
import sqlite3
import struct
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sealpy.image.trust.contents import Layer, laid_over, packages_of_layers, read_layer
from sealpy.image.trust.rpm import NotRpmError, is_rpm, read_rpm

AT = "var/lib/rpm/rpmdb.sqlite"
FEDORA = b"ID=fedora\nVERSION_ID=40\n"


def header(fields: Mapping[int, str | int]) -> bytes:
    """Write a header as RPM keeps it: how much there is, an entry for each field, then their bytes."""
    entries, data = b"", b""
    for tag, value in fields.items():
        kind = 4 if isinstance(value, int) else 6
        entries += struct.pack(">IIII", tag, kind, len(data), 1)
        data += struct.pack(">I", value) if isinstance(value, int) else value.encode() + b"\0"
    return struct.pack(">II", len(fields), len(data)) + entries + data


def package(name: str, version: str = "1.0", release: str = "1.fc40", arch: str = "x86_64", epoch: int = 0) -> bytes:
    fields: dict[int, str | int] = {1000: name, 1001: version, 1002: release, 1004: "Summary", 1022: arch}
    return header({1003: epoch, **fields} if epoch else fields)


@contextmanager
def opened(path: Path, *headers: bytes, journal: str = "delete") -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA journal_mode={journal}")
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", [(one,) for one in headers])
        database.commit()
        yield database


def made(tmp_path: Path, *headers: bytes) -> bytes:
    with opened(tmp_path / "made.sqlite", *headers):
        pass
    return (tmp_path / "made.sqlite").read_bytes()


def layer(files: Mapping[str, bytes]) -> Layer:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    out.seek(0)
    return read_layer(out, what="layer")


def test_rpm_tells_of_what_is_installed_and_its_keys_are_no_packages(tmp_path: Path) -> None:
    data = made(tmp_path, package("tool", epoch=2), package("bash", "5.2.26", "3.fc40"), package("gpg-pubkey"))
    found = layer({AT: data})
    assert [one.purl for one in packages_of_layers([layer({"etc/os-release": FEDORA}), found])] == [
        "pkg:generic/fedora@40",
        "pkg:rpm/fedora/bash@5.2.26-3.fc40?arch=x86_64&distro=fedora-40",
        "pkg:rpm/fedora/tool@1.0-1.fc40?arch=x86_64&distro=fedora-40&epoch=2",
    ]
    assert laid_over([found]).unread == {}


def test_what_sqlite_has_not_yet_written_into_the_database_counts_too(tmp_path: Path) -> None:
    path = tmp_path / "rpmdb.sqlite"
    with opened(path, package("old"), journal="wal") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("INSERT INTO Packages (blob) VALUES (?)", (package("new"),))
        database.commit()
        files = {f"{AT}{end}": Path(f"{path}{end}").read_bytes() for end in ("", "-wal")}
    assert files[f"{AT}-wal"]
    for order in (files, dict(reversed(files.items()))):
        assert [one.name for one in packages_of_layers([layer(order)])] == ["new", "old"]
    without = {AT: files[AT]}
    assert [one.name for one in packages_of_layers([layer(without)])] == ["old"]


def test_the_database_stands_in_several_places() -> None:
    assert is_rpm("usr/lib/sysimage/rpm/rpmdb.sqlite")
    assert is_rpm(f"{AT}-wal")
    assert not is_rpm(f"{AT}-shm")
    assert not is_rpm("srv/rpmdb.sqlite")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda _: b"not a database" * 500, "not a database"),
        (lambda data: data[:3000], "malformed"),
        (lambda _: b"", "no table of packages"),
        (lambda data: data.replace(b"tool\0", b"to\nl\0"), "signs that no name has"),
        (lambda data: data.replace(package("tool"), package("tool")[:-2] + b"xx"), "not found"),
    ],
    ids=["other", "cut", "empty", "line break", "no end"],
)
def test_a_database_that_cannot_be_read_is_said_with_the_reason(tmp_path: Path, spoil: object, said: str) -> None:
    assert callable(spoil)
    found = layer({AT: spoil(made(tmp_path, package("tool")))})
    assert said in laid_over([found]).unread[AT]
    assert list(packages_of_layers([found])) == []


@pytest.mark.parametrize(
    "packages",
    [
        "VIEW Packages AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS blob FROM n",
        "TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB AS (hex(zeroblob(hnum))))",
        "VIRTUAL TABLE Packages USING fts5(blob)",
    ],
    ids=["view", "column", "module"],
)
def test_what_computes_in_place_of_the_table_is_not_asked(tmp_path: Path, packages: str) -> None:
    path = tmp_path / "view.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE {packages}")
        database.commit()
    with pytest.raises(NotRpmError, match="no table of packages"):
        read_rpm({"rpmdb.sqlite": path.read_bytes()})


def test_an_older_database_is_said_unless_a_later_layer_removes_or_replaces_it(tmp_path: Path) -> None:
    old = layer({"var/lib/rpm/Packages": b"Berkeley DB"})
    assert laid_over([old]).unread == {"var/lib/rpm/Packages": "a database of RPM in an older form"}
    assert laid_over([old, layer({"var/lib/rpm/.wh.Packages": b""})]).unread == {}
    broken, whole = layer({AT: b"x" * 9000}), layer({AT: made(tmp_path, package("tool"))})
    assert laid_over([broken, whole]).unread == {}
    assert laid_over([whole, broken]).databases == {}
