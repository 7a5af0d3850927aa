"""Searching a rootfs that is built upon another, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.finding import Found, Mention, find, listed
from sealpy.image.finding.programs import HELM, command_of
from sealpy.image.metadata import Application, Launch, Metadata, Spot
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Member, Source, walk

POD = "spec: {{containers: [{{name: c, image: '{0}'}}]}}\n"
WITH_ENV = (
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'a:1', env: [{name: X_IMAGE, value: 'quay.io/b:1'}]}]}"
)
CHART = "apiVersion: v2\nname: shop\nversion: 0.1.0\n"


def files(texts: Mapping[str, str]) -> dict[str, tuple[Member, Source]]:
    return {path: (Member(path, size=len(text.encode())), text.encode()) for path, text in texts.items()}


def image(root: Path, texts: Mapping[str, str], metadata: Metadata | None = None) -> ClusterImage:
    """Put an image into a store, with what a build would have found in it."""
    store, metadata = Store(root / "images"), metadata or Metadata()
    uses = find(files(texts), metadata=metadata, context=root).uses("amd64")
    with store.keeping():
        layer = write_layer(store, walk({path: text.encode() for path, text in texts.items()}))
        said = metadata.model_copy(update={"container_images": uses})
        return assemble(store, "base:1", base=None, layers=[layer], metadata=said)


def upon(base: ClusterImage, texts: Mapping[str, str], metadata: Metadata | None = None) -> Found:
    return find(files(texts), metadata=metadata or base.metadata, context=Path("/nowhere"), base=base)


def named(found: Found) -> list[str]:
    return [reference.familiar for reference in sorted(found.mentions)]


def places(found: Found) -> dict[str, list[str]]:
    return {Reference.parse(use.image).familiar: [str(spot) for spot in use.found_in] for use in found.uses("amd64")}


def test_files_of_the_base_are_not_searched_again_and_their_places_stay(tmp_path: Path) -> None:
    base = image(tmp_path, {"manifests/a.yaml": POD.format("a:1"), "manifests/b.yaml": POD.format("b:1")})
    found = upon(base, {"manifests/b.yaml": POD.format("b:2"), "manifests/c.yaml": POD.format("a:1")})
    assert named(found) == ["a:1", "b:2"]
    assert places(found) == {
        "a:1": ["manifests/a.yaml:1", "manifests/c.yaml:1"],
        "b:1": [],
        "b:2": ["manifests/b.yaml:1"],
    }


def test_a_template_of_the_base_is_searched_again_when_other_variables_fill_it(tmp_path: Path) -> None:
    texts = {
        "manifests/a.yaml.tmpl": POD.format("a:{{ .Version }}"),
        "manifests/b.yaml.tmpl": POD.format("b:{{ .Other }}"),
    }
    base = image(tmp_path, texts, Metadata(env={"Version": "1", "Other": "1"}))
    assert named(upon(base, {}, Metadata(env={"Version": "1", "Other": "1"}))) == []
    found = upon(base, {}, Metadata(env={"Version": "2", "Other": "1"}))
    assert named(found) == ["a:2"]
    assert places(found)["a:1"] == []


def test_a_broken_file_of_the_base_stops_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path / "images")
    with store.keeping():
        layer = write_layer(store, walk({"manifests/a.yaml": b"a: {", "manifests/b.yaml.tmpl": b"{{ fi }}"}))
        base = assemble(store, "base:1", base=None, layers=[layer], metadata=Metadata())
    assert named(upon(base, {"manifests/c.yaml": POD.format("c:1")})) == ["c:1"]


def test_a_chart_of_the_base_is_rendered_again_when_it_is_launched_otherwise(tmp_path: Path) -> None:
    needs_helm()
    texts = {
        "application/apps/shop/Chart.yaml": CHART,
        "application/apps/shop/values.yaml": "tag: '1'\n",
        "application/apps/shop/templates/a.yaml": POD.format("a:{{ .Values.tag }}"),
    }
    app = Application(name="shop", type="helm")
    base = image(tmp_path, texts, Metadata(applications=(app,)))
    assert places(upon(base, {})) == {"a:1": ["application/apps/shop/templates/a.yaml"]}
    other = app.model_copy(update={"cmds": ("helm upgrade -i shop . --set tag=2",)})
    found = upon(base, {}, Metadata(applications=(other,), launch=Launch(app_names=("shop",))))
    assert named(found) == ["a:2"]
    assert places(found) == {"a:1": [], "a:2": ["application/apps/shop/templates/a.yaml"]}


def needs_helm() -> None:
    try:
        command_of(HELM, needed_for="this test")
    except ImageError as error:
        pytest.skip(f"{error}; {error.hint}")


def test_ignored_images_are_neither_taken_nor_doubted() -> None:
    ignored = {Reference.parse("a:1"), Reference.parse("quay.io/b:1")}
    assert (
        find(files({"manifests/a.yaml": WITH_ENV}), metadata=Metadata(), context=Path("/"), ignored=ignored) == Found()
    )


def test_a_doubt_ends_when_a_list_names_the_image_after_all() -> None:
    found = find(files({"manifests/a.yaml": WITH_ENV}), metadata=Metadata(), context=Path("/"))
    assert len(found.warnings()) == 1
    [mention], problems = listed(b"quay.io/b:1\n", shown="list", path="")
    assert problems == []
    more: dict[Reference, list[Mention]] = {Reference.parse("quay.io/b:1"): [mention]}
    assert Found({**found.mentions, **more}, found.doubts).warnings() == []


def test_files_are_called_as_they_are_in_the_context(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(POD.format("a:1"))
    member = Member("manifests/theirs.yaml", size=(tmp_path / "mine.yaml").stat().st_size)
    found = find({member.path: (member, tmp_path / "mine.yaml")}, metadata=Metadata(), context=tmp_path)
    [[mention]] = found.mentions.values()
    assert str(mention.place) == "mine.yaml:1"
    expected = Spot(file="manifests/theirs.yaml", line=1, document=1, path="spec.containers[0].image", rule="pod")
    assert mention.spot == expected


def test_a_file_too_large_to_be_a_manifest_is_told() -> None:
    large: dict[str, tuple[Member, Source]] = {"manifests/a.yaml": (Member("manifests/a.yaml", size=64 << 20), b"")}
    [warning] = find(large, metadata=Metadata(), context=Path("/")).warnings()
    assert str(warning) == "manifests/a.yaml: the file is too large to be a manifest, and was not searched"
