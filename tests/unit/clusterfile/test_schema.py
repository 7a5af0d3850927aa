"""The schema for editors takes what the reader takes, and says what every field is for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sealpy.clusterfile.schema import KINDS, schema

CASES = Path(__file__).parents[2] / "golden" / "clusterfile"
VALID = sorted(case.name for case in CASES.iterdir() if case.name.startswith("valid-"))


@cache
def checker() -> Any:
    """Make a validator without the grammar of RFC 3987: it takes seconds to build in every process.

    That is for formats, which are not checked here. Who has them checked imports the library again, and finds it whole.
    """
    grammar = sys.modules.get("rfc3987_syntax")
    if grammar is None:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment] # as if it were not installed
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - see above

    if grammar is None:
        for name in [name for name in sys.modules if name.split(".")[0] in {"jsonschema", "rfc3987_syntax"}]:
            del sys.modules[name]
    return Draft202012Validator(schema())


def problems(text: str) -> list[str]:
    """Check documents as editors do, which read `on` as a text (YAML 1.2)."""
    documents = yaml.safe_load_all(text.replace("\n  on:", "\n  'on':"))
    return [f"{error.json_path}: {error.message}" for one in documents if one for error in checker().iter_errors(one)]


def test_the_schema_is_one() -> None:
    checker().check_schema(schema())
    assert schema()["properties"]["kind"]["enum"] == list(KINDS)


@pytest.mark.parametrize("case", VALID)
def test_what_the_reader_takes_is_valid(case: str) -> None:
    assert problems((CASES / case / "Clusterfile").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "kind: Clustr",
        "spec: {}",
        "kind: Cluster\nspec: {}",
        "kind: Cluster\nspec: {image: x, hsots: []}",
        "kind: Cluster\nspec: {image: x, hosts: {ips: [10.0.0.1]}}",
        "kind: Cluster\nspec: {image: x, hosts: [{roles: [node]}]}",
        "kind: Cluster\nspec: {image: [x]}",
        "kind: Config\nmetadata: {name: a}\nspec: {path: a, data: b, strategy: replace}",
        "kind: ClusterConfiguration\nnetworking: {podsubnet: 10.0.0.0/16}",
        "kind: ClusterConfiguration\napiVersion: kubeadm.k8s.io/v1",
    ],
)
def test_what_the_reader_refuses_by_its_shape_is_not_valid(text: str) -> None:
    assert problems(text)


def fields(of: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for definition, content in of["$defs"].items():
        if not definition.endswith("Configuration"):
            for name, field in content.get("properties", {}).items():
                yield f"{definition}.{name}", field


@pytest.mark.parametrize(("name", "field"), list(fields(schema())))
def test_every_field_says_what_it_is_for(name: str, field: Mapping[str, Any]) -> None:
    text = field.get("description", "")
    assert text[:1].isupper() or text[:1] == "`", name
    assert text.endswith("."), name
