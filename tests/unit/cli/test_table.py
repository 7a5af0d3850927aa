from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.cli.table import table_lines, width


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = [("kubernetes:v1.34.4", 3), ("app:1", 12345)]
    assert list(table_lines(["name", "layers"], rows)) == [
        "NAME                 LAYERS",
        "kubernetes:v1.34.4   3",
        "app:1                12345",
    ]


@pytest.mark.parametrize("cell", ["你好", "한글", "🚀🔥", "ab\u0301cd", "a\u200bbcd", "⚠️⚠️", "cafe"])
def test_a_column_is_as_wide_as_a_terminal_shows_it(cell: str) -> None:
    assert list(table_lines(["a", "b"], [(cell, "x"), ("abcd", "y")])) == ["A      B", f"{cell}   x", "abcd   y"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("RUN a &&\n\n\tb\n", "RUN a &&   b"),
        ("\x1b[2Jred\x07", "\\x1b[2Jred\\x07"),
        ("two  blanks", "two  blanks"),
    ],
)
def test_a_cell_is_one_line_and_says_nothing_to_the_terminal(cell: str, shown: str) -> None:
    _, line = table_lines(["layer", "made by"], [("5e0a", cell)])
    assert line == f"5e0a    {shown}".rstrip()


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


def test_wide_columns_share_the_screen_and_short_ones_stay() -> None:
    found = "port 6443 is in use by another program of this machine"
    fix = "ss -lntp 'sport = :6443' names the process, which is to be stopped"
    lines = list(table_lines(["host", "check", "found", "what to do"], [("10.0.0.1", "ports", found, fix)], screen=80))
    assert lines == [
        "HOST       CHECK   FOUND                           WHAT TO DO",
        "10.0.0.1   ports   port 6443 is in use by          ss -lntp 'sport = :6443'",
        "                   another program of this         names the process, which is",
        "                   machine                         to be stopped",
    ]


def test_words_that_are_too_wide_for_columns_are_listed_whole_row_by_row() -> None:
    image, path = "registry.k8s.io/kube-apiserver:v1.34.4", "spec.template.spec.containers[0].image"
    rows = [(image, "", "manifests/imageList:1", ""), (image, "web", "applications/web.yaml:17", path)]
    assert list(table_lines(["image", "app", "named in", "path"], rows, screen=80)) == [
        f"IMAGE      {image}",
        "NAMED IN   manifests/imageList:1",
        "",
        f"IMAGE      {image}",
        "APP        web",
        "NAMED IN   applications/web.yaml:17",
        f"PATH       {path}",
    ]


def test_where_there_is_no_screen_no_line_is_broken() -> None:
    assert list(table_lines(["a", "b"], [("x " * 100, "y " * 100)]))[1].count("x") == 100


@given(
    st.lists(st.tuples(*[st.text("abc 你", max_size=90)] * 3), max_size=4),
    st.integers(min_value=1, max_value=120),
)
def test_no_word_is_cut_and_no_line_is_wider_than_the_screen_unless_a_word_is(
    rows: list[tuple[str, str, str]], screen: int
) -> None:
    lines = list(table_lines(["first", "second", "third"], rows, screen=screen))
    words = sorted(word for row in rows for cell in row for word in cell.split())
    told = sorted(word for line in lines for word in line.split() if not word.isupper())
    assert told == words
    longest = max([width(word) for word in words], default=0)
    if longest + len("SECOND   ") <= screen and screen >= len("FIRST   SECOND   THIRD") and words:
        assert max(map(width, lines)) <= screen


def test_a_table_without_rows_is_its_heading() -> None:
    assert list(table_lines(["name", "size"], [])) == ["NAME   SIZE"]
