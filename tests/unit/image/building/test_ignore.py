"""What of the context is never copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import ConfigError
from sealpy.image.building.ignore import Ignore


@pytest.mark.parametrize(
    ("patterns", "path", "left_out"),
    [
        ("*.tmp", "a.tmp", True),
        ("*.tmp", "dir/a.tmp", False),
        ("**/*.tmp", "dir/sub/a.tmp", True),
        ("**/*.tmp", "a.tmp", True),
        ("dir", "dir/sub/a", True),
        ("/dir/", "dir/a", True),
        ("./dir", "dir", True),
        ("a?c", "abc", True),
        ("[ab].x", "b.x", True),
        ("[!ab].x", "c.x", True),
        ("[!ab].x", "b.x", False),
        (r"\[a", "[a", True),
        (r"\*", "b", False),
        ("a+b", "a+b", True),
        ("*\n!keep", "keep", False),
        ("!keep\n*", "keep", True),
        ("# dir", "# dir", False),
        ("", "a", False),
    ],
)
def test_the_last_pattern_that_fits_decides(patterns: str, path: str, *, left_out: bool) -> None:
    assert Ignore.parse(patterns).fits(path) is left_out


@pytest.mark.parametrize("pattern", ["[a", "[]x", "[z-a]"])
def test_a_pattern_that_means_nothing_is_refused_with_its_line(tmp_path: Path, pattern: str) -> None:
    (tmp_path / ".dockerignore").write_text(f"# first\n{pattern}\n")
    with pytest.raises(ConfigError, match=r"\.dockerignore:2: pattern '.*'") as caught:
        Ignore.load(tmp_path)
    assert caught.value.hint


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".kubeignore").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is no text"):
        Ignore.load(tmp_path)
