"""What the processes of a Config make of its data."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from sealpy.clusterfile import Config, loads, processed
from sealpy.errors import ClusterfileError

DATA = "config:\n  username: root\n  passwd: 0123\nname: on\n"


def config(process: str, data: str = DATA) -> Config:
    text = yaml.safe_dump({"kind": "Config", "metadata": {"name": "db"}, "spec": {"path": "a", "process": process,
                                                                                   "data": data}})  # fmt: skip
    return loads(f"kind: Cluster\nspec: {{image: x}}\n---\n{text}", name="Clusterfile").configs[0]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_without_a_process_the_data_are_as_they_were_typed() -> None:
    assert processed(config("")).text == DATA


def test_the_whole_becomes_json() -> None:
    made = json.loads(processed(config("toJson")).text)
    assert made == {"config": {"username": "root", "passwd": 123}, "name": "on"}  # by the core schema, as everywhere


def test_the_whole_becomes_base64() -> None:
    assert processed(config("toBase64")).text == b64(DATA)
    assert json.loads(base64.b64decode(processed(config("toJson|toBase64")).text))["name"] == "on"


def test_after_value_each_value_is_processed_alone() -> None:
    made = yaml.safe_load(processed(config("value|toJson")).text)
    assert made == {"config": '{"username":"root","passwd":123}', "name": '"on"'}
    made = yaml.safe_load(processed(config("value | toJson | toBase64")).text)
    assert made["config"] == b64('{"username":"root","passwd":123}')


def test_a_text_becomes_base64_as_it_was_typed() -> None:
    made = yaml.safe_load(processed(config("value|toBase64", "a: 0123\nb: yes\nc: 'null'\n")).text)
    assert made == {"a": b64("0123"), "b": b64("yes"), "c": b64("null")}


@pytest.mark.parametrize("process", ["value|toJson|toBase64|toSecret", "value|toJson|toSecret"])
def test_the_data_of_a_secret_are_base64_once(process: str) -> None:
    made = processed(config(process))
    assert made.secret
    assert yaml.safe_load(made.text)["config"] == b64('{"username":"root","passwd":123}')


@pytest.mark.parametrize(
    ("process", "data", "told"),
    [
        ("value|toBase64", DATA, "'config' is no text, of which base64 could be made"),
        ("toSecret|toBase64", "a: b", "toSecret is not the last process"),
        ("value", "- a", "its data is no mapping"),
        ("toSecret", "text", "its data is no mapping"),
        ("toJson", "a: [", "its data is no YAML"),
        ("toJson", "a: &x [*x]", "an alias makes its data endless"),
    ],
)
def test_data_that_cannot_be_processed_are_refused_with_their_place(process: str, data: str, told: str) -> None:
    with pytest.raises(ClusterfileError) as caught:
        processed(config(process, data))
    assert caught.value.message.startswith(f"Clusterfile:4: Config 'db': {told}")
    assert caught.value.hint
