"""The commands that help to write a Clusterfile, as one types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.clusterfile import load, loads


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


INIT = ("init", "kubernetes:v1.34.4", "-m", "10.0.0.1", "--no-look")


def test_init_writes_a_file_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*INIT, "-n", "10.0.0.2-10.0.0.3", "--name", "shop"]) == 0
    assert capsys.readouterr().out == "'Clusterfile' is written; see what it would do: sealpy plan\n"
    found = load(tmp_path / "Clusterfile").cluster
    assert (found.name, [entry.ips for entry in found.hosts]) == ("shop", [("10.0.0.1",), ("10.0.0.2", "10.0.0.3")])


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Clusterfile"
    file.write_text("mine\n")
    assert run([*INIT, "-f", str(file)]) == 2
    assert f"'{file}' is there already" in capsys.readouterr().err
    assert file.read_text() == "mine\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("file", ["no/such/directory/Clusterfile", "dangling"])
def test_init_says_when_it_cannot_write(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dangling").symlink_to("nowhere")
    assert run([*INIT, "-f", file]) == 2
    assert f"'{file}'" in capsys.readouterr().err


def test_init_prints_the_file_when_it_is_asked_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*INIT, "-f", "-"]) == 0
    assert loads(capsys.readouterr().out, name="printed").cluster.image == "kubernetes:v1.34.4"
