from __future__ import annotations

from sealpy.cli.table import table_lines


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = [("kubernetes:v1.34.4", 3), ("app:1", 12345)]
    assert list(table_lines(["name", "layers"], rows)) == [
        "NAME                 LAYERS",
        "kubernetes:v1.34.4   3",
        "app:1                12345",
    ]


def test_wide_characters_take_two_columns() -> None:
    assert list(table_lines(["a", "b"], [("你好", "x"), ("abcd", "y")])) == ["A      B", "你好   x", "abcd   y"]


def test_the_last_column_is_folded_to_the_width_of_the_screen() -> None:
    rows = [("ETCD", "PreInit, PostInstall, PreClean"), ("X", "any")]
    assert list(table_lines(["type", "hook points"], rows, screen=24)) == [
        "TYPE   HOOK POINTS",
        "ETCD   PreInit,",
        "       PostInstall,",
        "       PreClean",
        "X      any",
    ]


def test_a_word_that_is_longer_than_the_screen_stays_whole() -> None:
    digest = "sha256:0123456789"
    assert list(table_lines(["name", "digest"], [("a", digest)], screen=12)) == ["NAME   DIGEST", f"a      {digest}"]


def test_a_table_without_rows_is_its_heading() -> None:
    assert list(table_lines(["name", "size"], [])) == ["NAME   SIZE"]
