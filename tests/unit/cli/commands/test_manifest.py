"""Images for several platforms under one name, as one types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk
from sealpy.testing.registry import FakeRegistry

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Have shop:amd64 and shop:arm64 here."""
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path))
    made = Store(tmp_path / "images")
    for architecture in ("amd64", "arm64"):
        layer = write_layer(made, walk({"arch": architecture.encode()}))
        name = f"shop:{architecture}"
        assemble(made, name, base=None, layers=[layer], metadata=Metadata(), architecture=architecture)
    return made


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry.running() as running:
        yield running


def told(capsys: Capture, *arguments: str) -> str:
    assert run(["manifest", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def platforms(capsys: Capture, name: str = "shop:1") -> list[str]:
    listed = json.loads(told(capsys, "inspect", name))["manifests"]
    return ["/".join(filter(None, map(m["platform"].get, ("os", "architecture", "variant")))) for m in listed]


def test_images_are_listed_for_their_platforms(capsys: Capture) -> None:
    told(capsys, "create", "shop:1", "shop:amd64", "shop:arm64")
    assert platforms(capsys) == ["linux/amd64", "linux/arm64"]
    assert run(["images"]) == 0
    assert "linux/amd64,linux/arm64" in capsys.readouterr().out


def test_an_index_begins_empty_and_grows_and_shrinks(capsys: Capture) -> None:
    told(capsys, "create", "shop:1")
    assert platforms(capsys) == []
    told(capsys, "add", "shop:1", "shop:amd64")
    told(capsys, "add", "shop:1", "shop:amd64")
    told(capsys, "add", "shop:1", "shop:arm64", "--variant", "v8", "--annotation", "a=b")
    assert platforms(capsys) == ["linux/amd64", "linux/arm64/v8"]
    assert json.loads(told(capsys, "inspect", "shop:1"))["manifests"][1]["annotations"] == {"a": "b"}
    told(capsys, "remove", "shop:1", "linux/amd64")
    assert platforms(capsys) == ["linux/arm64/v8"]
    assert run(["images"]) == 0
    assert run(["store", "check"]) == 0


def test_an_image_takes_the_place_of_the_one_for_the_same_platform(capsys: Capture) -> None:
    told(capsys, "create", "shop:1", "shop:amd64", "shop:arm64")
    told(capsys, "add", "shop:1", "shop:arm64", "--arch", "amd64")
    assert platforms(capsys) == ["linux/amd64"]


@pytest.mark.usefixtures("store")
def test_an_index_travels_with_all_that_it_lists(capsys: Capture, registry: FakeRegistry) -> None:
    name = f"{registry.address}/team/shop:1"
    told(capsys, "create", "shop:1", "shop:amd64", "shop:arm64")
    made = told(capsys, "push", "shop:1", name, "--rm").split()[-1]
    assert run(["images", "--names"]) == 0
    assert "shop:1" not in capsys.readouterr().out.split()
    assert platforms(capsys, name) == ["linux/amd64", "linux/arm64"]
    assert registry.manifests["team/shop", "1"] == registry.manifests["team/shop", made]
    assert run(["pull", name, "--platform", "all"]) == 0
    assert made in capsys.readouterr().out


def test_an_image_that_is_not_here_is_pulled_into_the_index(
    capsys: Capture, registry: FakeRegistry, store: Store
) -> None:
    name = f"{registry.address}/team/shop:arm64"
    assert run(["push", "shop:arm64", name]) == 0
    told(capsys, "create", "shop:1", name)
    assert platforms(capsys) == ["linux/arm64"]
    assert store.resolve(name).size > 0


@pytest.mark.parametrize("words", [["inspect"], ["add", "shop:1"]])
def test_a_registry_that_does_not_answer_is_told_by_what_went_wrong_there(capsys: Capture, words: list[str]) -> None:
    told(capsys, "create", "shop:1")
    assert run(["manifest", *words, "127.0.0.1:1/shop:2"]) == 5
    assert "no answer from '127.0.0.1:1': connection refused\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["create", "shop:amd64"], "there is one of this name already"),
        (["add", "shop:amd64", "shop:arm64"], "an image for one platform, no index"),
        (["add", "shop:none", "shop:arm64"], "not among the local images"),
        (["remove", "shop:1", "linux/s390x"], "'linux/s390x' is not listed in it"),
        (["add", "shop:1", "shop:arm64", "--annotation", "x"], "not NAME=VALUE"),
    ],
)
def test_what_cannot_be_done_is_told(capsys: Capture, words: list[str], message: str) -> None:
    told(capsys, "create", "shop:1", "shop:amd64")
    assert run(["manifest", *words]) in {2, 5}
    assert message in capsys.readouterr().err
    assert platforms(capsys) == ["linux/amd64"]
