from __future__ import annotations

from pathlib import Path

import pytest

from examples.kubernetes.preparation.cache import Cache


def fill(directory: Path) -> None:
    (directory / "tool").write_text("made")


def fail_half_way(directory: Path) -> None:
    (directory / "tool").write_text("ma")
    raise RuntimeError("power cut")


def test_an_entry_exists_when_it_is_whole(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("tool", "1.0", recipe=["a"])
    before = entry.exists
    entry.make(fill)
    assert (before, entry.exists) == (False, True)
    assert (entry.directory / "tool").read_text() == "made"


def test_a_failed_entry_leaves_nothing(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("tool", "1.0", recipe=["a"])
    with pytest.raises(RuntimeError, match="power cut"):
        entry.make(fail_half_way)
    assert not list(tmp_path.iterdir())


def test_another_recipe_is_another_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.entry("tool", "1.0", recipe=["a"]) == cache.entry("tool", "1.0", recipe=["a"])
    assert cache.entry("tool", "1.0", recipe=["a"]) != cache.entry("tool", "1.0", recipe=["b"])
    assert cache.entry("tool", "1.0", recipe=["a"]) != cache.entry("tool", "1.1", recipe=["a"])


def test_what_a_killed_run_left_is_swept_away(tmp_path: Path) -> None:
    leftover = tmp_path / ".unfinished-x1/result"
    leftover.mkdir(parents=True)
    (leftover / "tool").write_text("ma")
    kept = Cache(tmp_path).entry("tool", "1.0", recipe=[])
    kept.make(fill)
    with Cache(tmp_path).locked():
        assert not leftover.exists()
        assert kept.exists
