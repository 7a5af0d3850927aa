"""What of the context is never copied."""

from __future__ import annotations

import pytest

from sealpy.image.ignore import Ignore


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
        ("a+b", "a+b", True),
        ("*\n!keep", "keep", False),
        ("!keep\n*", "keep", True),
        ("# dir", "# dir", False),
        ("", "a", False),
    ],
)
def test_the_last_pattern_that_fits_decides(patterns: str, path: str, *, left_out: bool) -> None:
    assert Ignore.parse(patterns).fits(path) is left_out
