"""The commands that help to write a Clusterfile, as one types them."""

from __future__ import annotations

import json

import pytest

from sealpy.cli.app import run


def test_explain_says_what_a_field_is_for_and_what_is_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "registry.localRegistry"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["KIND:     Cluster", "FIELD:    spec.registry.localRegistry <mapping>"]
    assert "  port <whole number>" in lines
    assert all(len(line) <= 100 for line in lines)


def test_explain_gives_data_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "Config.spec.strategy", "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["path"], found["choices"], found["default"]) == ("spec.strategy", ["overwrite", "merge"], "overwrite")


def test_explain_names_the_nearest_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "hosts.lables"]) == 2
    assert "did you mean 'labels'?" in capsys.readouterr().err


def test_schema_is_json_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Clusterfile"
