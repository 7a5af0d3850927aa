"""Several images as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.combine import combine, conflicts, refuse
from sealpy.image.history import history
from sealpy.image.metadata import Application, ContainerImageUse, Launch, Metadata
from sealpy.image.registry_tree import ROOT
from sealpy.image.store import Store
from sealpy.image.tarball import File, Symlink, Tree, walk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def image(
    store: Store, tag: str, *trees: Tree, base: ClusterImage | None = None, metadata: Metadata | None = None
) -> ClusterImage:
    layers = [write_layer(store, walk(tree)) for tree in trees]
    return assemble(store, tag, base=base, layers=layers, metadata=metadata or Metadata())


def test_the_files_of_all_are_there_and_shared_layers_once(store: Store) -> None:
    base = image(store, "base:1", {"etc/base": b"1"})
    one, two = image(store, "one:1", {"a": b"1"}, base=base), image(store, "two:1", {"b": b"2"}, base=base)
    assert conflicts([one, two]) == ()
    both = combine(store, [one, two], "both:1")
    assert both.files.keys() == {"etc", "etc/base", "a", "b"}
    assert [both.read(path) for path in ("etc/base", "a", "b")] == [b"1", b"1", b"2"]
    layers = [layer.digest for layer in both.manifest.layers[:-1]]
    assert layers == [one.manifest.layers[0].digest, one.manifest.layers[1].digest, two.manifest.layers[1].digest]
    assert ClusterImage.open(store, "both:1").digest == both.digest


def test_merging_is_the_same_every_time(store: Store) -> None:
    one, two = image(store, "one:1", {"a": b"1"}), image(store, "two:1", {"b": b"2"})
    assert combine(store, [one, two], "x:1").digest == combine(store, [one, two], "x:2").digest


def test_what_one_image_hides_of_its_base_is_not_hidden_from_the_other(store: Store) -> None:
    base = image(store, "base:1", {"d/kept": b"1", "d/gone": b"2", "e/x": b"3"})
    one = image(store, "one:1", {"a": b"1"}, base=base)
    two = image(store, "two:1", {"d/.wh.gone": b"", "e/.wh..wh..opq": b"", "e/y": b"4"}, base=base)
    both = combine(store, [one, two], "both:1")
    assert {path for path, entry in both.files.items() if entry.kind != "dir"} == {
        "a",
        "d/kept",
        "d/gone",
        "e/x",
        "e/y",
    }
    assert [both.read(path) for path in ("d/gone", "e/x", "e/y")] == [b"2", b"3", b"4"]
    assert history(both.manifest, both.config)[-2].made_by == "sealpy merge"


def test_what_images_disagree_about_is_named_all_at_once(store: Store) -> None:
    link = f"{ROOT}/repositories/docker.io/library/web/_manifests/tags/1/current/link"
    web = Application(name="web", cmds=("a",))
    one = image(
        store, "one:1", {"same": b"1", "x": b"1", "m": b"", "l": Symlink("a"), "d/f": b"", link: b"sha256:1"},
        metadata=Metadata(labels={"k": "1", "same": "1"}, env={"E": "1"}, applications=(web,)),
    )  # fmt: skip
    two = image(
        store,
        "two:1",
        {"same": b"1", "x": b"2", "m": File(b"", 0o755), "l": Symlink("b"), "d": b"", link: b"sha256:2"},
        metadata=Metadata(
            labels={"k": "2", "same": "1"}, env={"E": "2"}, applications=(web.model_copy(update={"cmds": ("b",)}),)
        ),
    )  # fmt: skip
    found = conflicts([one, two])
    assert {conflict.what for conflict in found} == {
        "file 'x'", "file 'm'", "file 'l'", "file 'd'", "container image 'docker.io/library/web:1'", "label 'k'",
        "env 'E'", "app 'web'",
    }  # fmt: skip
    with pytest.raises(ImageError, match="8 conflicts") as caught:
        refuse(found)
    assert "file 'x': not the same in 'one:1' and 'two:1'" in {problem.message for problem in caught.value.problems}
    both = combine(store, [one, two], "both:1")
    assert both.read("x") == b"2"
    assert (both.files["d"].kind, "d/f" in both.files) == ("file", False)
    assert (both.metadata.labels, both.metadata.env) == ({"k": "2", "same": "1"}, {"E": "2"})
    assert [app.cmds for app in both.metadata.applications] == [("b",)]


def test_a_file_that_an_image_laid_over_its_base_wins_over_that_base_in_any_order(store: Store) -> None:
    base = image(store, "base:1", {"x": b"old", "d": b"file"})
    one = image(store, "one:1", {"x": b"new"}, {"d/y": b"1"}, base=base)
    for images in ([one, base], [base, one]):
        assert conflicts(images) == ()
        assert combine(store, images, "both:1").files.keys() == {"x", "d", "d/y"}
        assert ClusterImage.open(store, "both:1").read("x") == b"new"


def test_the_later_image_counts_also_when_its_layers_lie_below(store: Store) -> None:
    first = image(store, "first:1", {"x": b"1"}, {"a": b""})
    second = image(store, "second:1", {"x": b"2"}, {"x": b"1"}, {"b": b""})
    third = image(store, "third:1", {"x": b"2"})
    assert combine(store, [second, third, first], "both:1").read("x") == b"1"


def test_apps_are_launched_in_the_order_of_the_images(store: Store) -> None:
    uses = [ContainerImageUse(image=f"docker.io/library/{name}:1") for name in "ab"]
    one = Metadata(launch=Launch(app_names=("b", "a")), container_images=tuple(uses[:1]))
    two = Metadata(type="app-installer", launch=Launch(app_names=("a", "c"), cmds=("x",)), container_images=tuple(uses))
    images = [image(store, "one:1", metadata=one), image(store, "two:1", metadata=two)]
    merged = combine(store, images, "both:1").metadata
    assert (merged.launch.app_names, merged.launch.cmds) == (("b", "a", "c"), ("x",))
    assert (merged.type, len(merged.container_images)) == ("kube-installer", 2)
    apps = [image(store, f"app{n}:1", metadata=two) for n in range(2)]
    assert combine(store, apps, "apps:1").metadata.type == "app-installer"


def test_images_for_several_architectures_are_not_one(store: Store) -> None:
    arm = assemble(store, "arm:1", base=None, layers=[], metadata=Metadata(), architecture="arm64")
    with pytest.raises(ImageError, match="several architectures: 'one:1' for amd64, 'arm:1' for arm64"):
        combine(store, [image(store, "one:1"), arm], "both:1")
