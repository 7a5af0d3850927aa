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


def test_a_table_without_rows_is_its_heading() -> None:
    assert list(table_lines(["name", "size"], [])) == ["NAME   SIZE"]
