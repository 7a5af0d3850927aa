"""Packages that RPM has installed, read from its database of today: one table of SQLite with a header for each.

Source: https://rpm-software-management.github.io/rpm/manual/format_header.html. The older forms, of Berkeley DB and
ndb, are not read.
"""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Self

__all__ = ["LOG", "NotRpmError", "Rpm", "is_old_rpm", "is_rpm", "read_rpm", "rpms_of"]

LOG: Final = "-wal"
"""Ends the name of what SQLite has written beside a database and not yet into it."""

_DIRECTORIES: Final = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
_DATABASES: Final = frozenset(f"{directory}/rpmdb.sqlite" for directory in _DIRECTORIES)
_OLD: Final = frozenset(f"{directory}/{name}" for directory in _DIRECTORIES for name in ("Packages", "Packages.db"))

_INTRO: Final = struct.Struct(">II")  # entries, bytes behind them
_ENTRY: Final = struct.Struct(">IIII")  # tag, type, offset, count
_INTEGER: Final = struct.Struct(">I")
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_INT32, _STRING = 4, 6
_LONGEST: Final = 16 << 20  # bytes of a header; RPM itself takes no longer ones
_STORED: Final = "SELECT 1 FROM sqlite_master WHERE name = 'Packages' AND type = 'table' AND rootpage > 0"
_COMPUTED: Final = "SELECT 1 FROM pragma_table_xinfo('Packages') WHERE hidden"
_KEY: Final = "gpg-pubkey"  # stands among the packages and is none


class NotRpmError(Exception):
    """Tell why a database cannot be read."""


@dataclass(frozen=True, slots=True)
class Rpm:
    """Name a package as RPM does; the epoch is "" for most."""

    name: str
    epoch: str
    version: str
    release: str
    arch: str

    @classmethod
    def read(cls, header: bytes) -> Self:
        """Read what stands in the database for one package; raises ValueError for what is no header."""
        found = dict(_values(header))
        texts = [found.get(tag, "") for tag in (_NAME, _EPOCH, _VERSION, _RELEASE, _ARCH)]
        if not "".join(texts).isprintable():
            raise ValueError("a name has signs that no name has")
        return cls(*texts)


def is_rpm(path: str) -> bool:
    """Tell whether a file of a root file system is RPM's database, or SQLite's log of it."""
    return path.removesuffix(LOG) in _DATABASES


def is_old_rpm(path: str) -> bool:
    """Tell whether a file of a root file system is RPM's database in an older form."""
    return path in _OLD


def read_rpm(files: Mapping[str, bytes]) -> str:
    """Read a database, by the names of its files without directories: a line for each package, in order.

    Raises NotRpmError for what is none, or is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="sealpy-rpm-") as directory:  # SQLite brings in the log by itself
        for name, data in files.items():
            Path(directory, name).write_bytes(data)
        try:
            with closing(sqlite3.connect(Path(directory, "rpmdb.sqlite"))) as database:
                database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
                _refuse_what_computes(database)
                found = [Rpm.read(header) for (header,) in database.execute("SELECT blob FROM Packages")]
        except (sqlite3.Error, ValueError, TypeError, struct.error) as error:
            raise NotRpmError(str(error)) from error
    return "".join(sorted("\t".join(astuple(one)) + "\n" for one in found if one.name != _KEY))


def _refuse_what_computes(database: sqlite3.Connection) -> None:
    """Refuse all but a table whose columns are stored: whoever made the image would have us work without end."""
    if not database.execute(_STORED).fetchone() or database.execute(_COMPUTED).fetchone():
        raise NotRpmError("it has no table of packages")


def rpms_of(text: str) -> Iterator[Rpm]:
    """Give the packages that `read_rpm` wrote down."""
    for line in text.splitlines():
        yield Rpm(*line.split("\t"))


def _values(header: bytes) -> Iterator[tuple[int, str]]:
    entries, size = _INTRO.unpack_from(header)
    data = header[_INTRO.size + entries * _ENTRY.size :]
    if len(data) != size:
        raise ValueError("a header has not all its bytes")
    for number in range(entries):
        tag, kind, offset, _ = _ENTRY.unpack_from(header, _INTRO.size + number * _ENTRY.size)
        if tag in {_NAME, _VERSION, _RELEASE, _ARCH} and kind == _STRING:
            yield tag, data[offset : data.index(b"\0", offset)].decode()
        elif tag == _EPOCH and kind == _INT32:
            yield tag, str(_INTEGER.unpack_from(data, offset)[0])
