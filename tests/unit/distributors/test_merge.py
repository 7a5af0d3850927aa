"""Files of YAML and JSON with new values in them."""

from __future__ import annotations

import json

import pytest
import yaml

from sealpy.distributors.merge import MergeError, merged_json, merged_secret, merged_yaml

BOMB = "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


def test_new_values_win_and_what_is_not_named_stays_as_it_was_typed() -> None:
    there = "a: 0123\non: yes\nb:\n  c: 'x'\n  list: [1, 2]\nt: |\n  two\n  lines\n"
    assert merged_yaml(there, "b: {list: [3], d: 1.10}\nnew: no\n") == (
        "a: 0123\non: yes\nb:\n  c: 'x'\n  list: [3]\n  d: 1.10\nt: |\n  two\n  lines\nnew: no\n"
    )


def test_every_document_of_the_file_gets_the_values() -> None:
    found = list(yaml.safe_load_all(merged_yaml("a: 1\n---\nb: 2\n---\n", "c: 3")))
    assert found == [{"a": 1, "c": 3}, {"b": 2, "c": 3}]


def test_an_alias_elsewhere_does_not_change_with_its_anchor() -> None:
    found = yaml.safe_load(merged_yaml("a: &x {k: 1}\nb: *x\n", "a: {k: 2}"))
    assert found == {"a": {"k": 2}, "b": {"k": 1}}


def test_a_mapping_takes_the_place_of_what_is_none() -> None:
    assert yaml.safe_load(merged_yaml("a: text\nb: {c: 1}\n", "a: {x: 1}\nb: text")) == {"a": {"x": 1}, "b": "text"}


def test_an_empty_file_becomes_the_values() -> None:
    assert merged_yaml("# nothing\n", "a: 1\n") == "a: 1\n"


@pytest.mark.parametrize(
    ("there", "data", "told"),
    [
        ("- a\n", "a: 1", "no mappings"),
        ("[Unit]\nA=b\n", "a: 1", "the file is no YAML"),
        ("a: {{ .X }}\n", "a: 1", "is it a template"),
        ("a: 1", "- a", "the data is no mapping"),
        ("a: 1", "a: {[x]: y}", "the data is no mapping"),
        ("a: &x [*x]", "a: 1", "an alias makes the file endless"),
        (BOMB, "a: 1", "an alias makes the file endless"),
        ("a: 1", BOMB, "the data is no mapping"),
        ("a: 1", "a: 1\n---\nb: 2", "not one document"),
    ],
)
def test_what_cannot_be_merged_says_why(there: str, data: str, told: str) -> None:
    with pytest.raises(MergeError, match=told):
        merged_yaml(there, data)


def test_json_stays_json() -> None:
    made = merged_json('{"a": {"b": 1, "c": "0123"}}', "a: {b: 2}\nd: [x]\n")
    assert json.loads(made) == {"a": {"b": 2, "c": "0123"}, "d": ["x"]}
    with pytest.raises(MergeError):
        merged_json("[]", "a: 1")


def test_a_secret_in_the_file_gets_the_data_and_its_neighbours_do_not() -> None:
    there = "kind: ConfigMap\ndata: {a: b}\n---\nkind: Secret\nmetadata: {name: x}\ndata: {a: Yg==}\n"
    config_map, secret = yaml.safe_load_all(merged_secret(there, "c: ZA==", "db"))
    assert config_map == {"kind": "ConfigMap", "data": {"a": "b"}}
    assert secret == {"kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "Yg==", "c": "ZA=="}}


def test_a_secret_is_made_where_there_is_no_file() -> None:
    made = yaml.safe_load(merged_secret("", "c: ZA==", "db"))
    assert made == {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "type": "Opaque",
                    "data": {"c": "ZA=="}}  # fmt: skip


@pytest.mark.parametrize(
    ("there", "told"), [("kind: ConfigMap\n", "no document of"), ("kind: Secret\n---\nkind: Secret\n", "2 documents")]
)
def test_the_secret_that_is_meant_must_be_clear(there: str, told: str) -> None:
    with pytest.raises(MergeError, match=told):
        merged_secret(there, "c: ZA==", "db")
