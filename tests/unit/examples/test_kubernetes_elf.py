from __future__ import annotations

import struct
from pathlib import Path

import pytest

from examples.kubernetes.preparation.elf import needed, with_libraries

ADDRESS = 0x400000


def elf(*libraries: str, loader: str = "") -> bytes:
    """Make a file that is an ELF as far as its needs go: a loader's name, and a table of libraries."""
    strings, offsets = b"\0", []
    for library in libraries:
        offsets.append(len(strings))
        strings += library.encode() + b"\0"
    start = 64 + 3 * 56
    interpreter = loader.encode() + b"\0"
    at_strings = start + len(interpreter)
    at_table = at_strings + len(strings)
    table = b"".join(struct.pack("<QQ", 1, offset) for offset in offsets)
    table += struct.pack("<QQ", 5, ADDRESS + at_strings) + struct.pack("<QQ", 0, 0)
    end = at_table + len(table)
    segments = [(1, 0, end), (3, start, len(interpreter)) if loader else (0, 0, 0), (2, at_table, len(table))]
    header = b"\x7fELF\x02\x01".ljust(32, b"\0") + struct.pack("<Q", 64) + bytes(14) + struct.pack("<HH", 56, 3)
    program_headers = b"".join(
        struct.pack("<IIQQQQQQ", kind, 0, offset, ADDRESS + offset, 0, size, size, 0) for kind, offset, size in segments
    )
    return header.ljust(64, b"\0") + program_headers + interpreter + strings + table


def test_the_loader_and_the_libraries_are_needed(tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(elf("libm.so.6", "libc.so.6", loader="/lib64/ld-linux-x86-64.so.2"))
    assert needed(tmp_path / "tool") == ("ld-linux-x86-64.so.2", "libm.so.6", "libc.so.6")


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01 of 32 bits"])
def test_what_is_no_program_needs_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert needed(tmp_path / "file") == ()


def test_libraries_of_libraries_come_too(tmp_path: Path) -> None:
    files = {"tool": elf("liba.so"), "liba.so": elf("libb.so"), "libb.so": elf("liba.so"), "libc.so": elf()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    libraries = {file.name: file for file in tmp_path.glob("*.so")}
    found = with_libraries([tmp_path / "tool"], libraries)
    assert sorted(file.name for file in found) == ["liba.so", "libb.so", "tool"]


def test_a_library_that_is_not_at_hand_is_named(tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(elf("libm.so.6"))
    with pytest.raises(KeyError, match=r"libm\.so\.6"):
        with_libraries([tmp_path / "tool"], {})
