"""What one image has that another has not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.diff import Change, diff
from sealpy.image.held import held_images, image_of_path
from sealpy.image.metadata import Application, ContainerImageUse, Launch, Metadata
from sealpy.image.registry_tree import ROOT
from sealpy.image.store import Store
from sealpy.image.tarball import File, Symlink, walk

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def image(
    store: Store,
    tag: str,
    tree: Mapping[str, bytes | File | Symlink],
    metadata: Metadata | None = None,
    *,
    base: ClusterImage | None = None,
) -> ClusterImage:
    layers = [write_layer(store, walk(tree))] if tree else []
    return assemble(store, tag, base=base, layers=layers, metadata=metadata or Metadata())


def test_an_image_does_not_differ_from_itself(store: Store) -> None:
    one = image(store, "x:1", {"a": b"1"})
    found = diff(one, one)
    assert found.is_empty
    assert found.moved == 0


def test_files_that_came_went_or_changed_are_told_with_their_sizes(store: Store) -> None:
    one = image(
        store, "x:1", {"same": b"1", "gone": b"22", "grew": b"1", "mode": b"", "link": Symlink("a"), "d/x": b""}
    )
    two = image(
        store,
        "x:2",
        {"same": b"1", "grew": b"333", "mode": File(b"", 0o755), "link": Symlink("b"), "new/y": b"4", "d/x": b""},
    )
    found = {change.name: change for change in diff(one, two).files}
    assert {name: change.how for name, change in found.items()} == {
        "gone": "removed", "grew": "changed", "link": "changed", "mode": "changed", "new/y": "added",
    }  # fmt: skip
    assert (found["grew"].size_before, found["grew"].size_after) == (1, 3)
    assert (found["gone"].size_before, found["new/y"].size_after) == (2, 1)
    assert (found["link"].before, found["link"].after) == ("-> a", "-> b")
    assert found["mode"].after.startswith("0755 ")


def test_a_file_in_the_place_of_a_directory_is_a_change(store: Store) -> None:
    one, two = image(store, "x:1", {"d/x": b""}), image(store, "x:2", {"d": b""})
    assert [(change.how, change.name) for change in diff(one, two).files] == [("changed", "d"), ("removed", "d/x")]


def test_only_what_is_not_shared_is_to_be_moved(store: Store) -> None:
    base = image(store, "x:1", {"big": b"1" * 100_000})
    app = image(store, "x:2", {"small": b"1"}, base=base)
    assert 0 < diff(base, app).moved < 10_000


def registry(**tags: str) -> dict[str, bytes]:
    """Give the links of a registry's data, by repository and tag."""
    links = {f"{ROOT}/repositories/{name}/_manifests/tags/1/current/link": digest for name, digest in tags.items()}
    return {path: digest.encode() for path, digest in links.items()}


def using(*names: str) -> Metadata:
    return Metadata(container_images=tuple(ContainerImageUse(image=name) for name in names))


def test_container_images_are_told_by_name_and_digest_and_not_as_files(store: Store) -> None:
    full = {"docker.io/library/web": ONE, "docker.io/library/gone": ONE}
    one = image(store, "x:1", registry(**full), using("web:1", "gone:1"))
    two = image(store, "x:2", registry(**{"docker.io/library/web": TWO, "library/web": TWO}), using("web:1", "lite:1"))
    found = diff(one, two)
    assert found.files == ()
    assert found.images == (
        Change("removed", "docker.io/library/gone:1", ONE, ""),
        Change("added", "docker.io/library/lite:1", "", ""),
        Change("changed", "docker.io/library/web:1", ONE, TWO),
    )


def test_images_of_the_ancestor_are_told_by_their_repositories(store: Store) -> None:
    old = image(store, "x:1", registry(**{"library/web": ONE, "calico/node": TWO}), using("docker.io/library/web:1"))
    assert held_images(old) == {"docker.io/library/web:1": ONE, "calico/node:1": TWO}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{ROOT}/repositories/library/web/_manifests/tags/1/current/link", "library/web:1"),
        (f"{ROOT}/repositories/library/web/_layers/sha256/ab/link", "library/web"),
        (f"{ROOT}/blobs/sha256/ab/abcd/data", ""),
        ("etc/x", ""),
    ],
)
def test_a_file_of_the_registry_is_of_an_image(path: str, name: str) -> None:
    assert image_of_path(path) == name


def test_words_of_the_metadata_are_told_by_their_path(store: Store) -> None:
    web = Application(name="web", type="kube", files=("a.yaml",))
    one = Metadata(labels={"k": "v"}, env={"A": "1"}, applications=(web,), launch=Launch(app_names=("web",)))
    two = Metadata(
        type="app-installer", labels={"k": "w"}, applications=(web.model_copy(update={"files": ("a.yaml", "b.yaml")}),)
    )
    found = {
        change.name: change for change in diff(image(store, "x:1", {}, one), image(store, "x:2", {}, two)).metadata
    }
    assert {name: (change.how, change.before, change.after) for name, change in found.items()} == {
        "applications.web.files": ("changed", "a.yaml", "a.yaml b.yaml"),
        "env.A": ("removed", "1", ""),
        "labels.k": ("changed", "v", "w"),
        "launch.app_names": ("removed", "web", ""),
        "type": ("changed", "kube-installer", "app-installer"),
    }
