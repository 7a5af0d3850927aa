"""The commands that help to write a Clusterfile, as one types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.clusterfile import load, loads
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image


@pytest.fixture(autouse=True)
def images(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SEALPY_HOME", str(home))
    a_stored_image(Store(home / "images"), {"etc/kubeadm.yml": b"kind: x\n"}, name="kubernetes:v1.34.4")
    a_stored_image(Store(home / "images"), {"web.yaml": b"kind: x\n"}, name="shop:1", type="app-installer")


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


@pytest.mark.parametrize(
    ("image", "message", "hint"),
    [
        ("kubernetes:v1.34.5", "image 'kubernetes:v1.34.5': not among the local images", "did you mean 'kubernetes:"),
        (
            "other:1",
            "image 'other:1': not among the local images",
            "bring it here: 'sealpy pull other:1', 'sealpy load",
        ),
        ("shop:1", "shop:1: type 'app-installer' is not the image of a cluster", "sealpy run launches an application"),
    ],
)
def test_init_refuses_an_image_by_which_no_cluster_can_be_made(
    image: str, message: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", image, "-m", "10.0.0.1", "--no-look", "-f", str(tmp_path / "Clusterfile")]) == 5
    told = capsys.readouterr().err
    assert f"error: {message}\n" in told
    assert hint in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["init", "-m", "10.0.0.1", "-f", "other"],
        ["check", "--pre", "-m", "10.0.0.1"],
        ["run"],
        ["run", "-m", "1.1.1.1"],
    ],
)
def test_every_command_says_the_same_of_an_image_that_is_not_here(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "kind: Cluster\nspec: {image: elsewhere:9, hosts: [{ips: [10.0.0.1], roles: [master]}]}\n"
    (tmp_path / "Clusterfile").write_text(text)
    assert run(["plan"]) == 5
    planned = capsys.readouterr()
    assert run([*words, "elsewhere:9"]) == 5
    said = (
        "image 'elsewhere:9': not among the local images\n"
        "next: bring it here: 'sealpy pull elsewhere:9', 'sealpy load -i FILE' or 'sealpy build -t NAME'\n"
    )
    assert capsys.readouterr().err == f"error: {said}"
    assert planned.err == f"error: Clusterfile:2: {said}"
