"""Whether the store is what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.image.archive.load import load
from sealpy.image.archive.save import pack, save
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import digest_of, encode
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store, Waste
from sealpy.image.store.check import check, repair
from sealpy.image.tarball import walk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


@pytest.fixture
def image(store: Store) -> ClusterImage:
    layers = [write_layer(store, walk({"etc/a": b"1" * 5000})), write_layer(store, walk({"etc/b": b"2"}))]
    return assemble(store, "kube:v1", base=None, layers=layers, metadata=Metadata())


def layer(image: ClusterImage) -> Path:
    return image.store.blob_path(image.manifest.layers[0].digest)


@pytest.mark.usefixtures("image")
def test_a_store_that_is_whole_has_no_faults(store: Store) -> None:
    counted: list[int] = []
    health = check(store, on_bytes=counted.append)
    assert (health.images, health.blobs, health.faults) == (1, 5, ())
    assert sum(counted) == health.size
    assert health.waste == Waste(0, 0, 0)


def flip(image: ClusterImage) -> None:
    data = layer(image).read_bytes()
    layer(image).write_bytes(data.replace(b"1", b"0", 1))


def truncate(image: ClusterImage) -> None:
    layer(image).write_bytes(layer(image).read_bytes()[:1000])


def swap(image: ClusterImage) -> None:
    layer(image).write_bytes(image.store.blob_path(image.manifest.layers[1].digest).read_bytes())


def take_away(image: ClusterImage) -> None:
    layer(image).unlink()


@pytest.mark.parametrize(
    ("harm", "word"), [(flip, "damaged"), (truncate, "damaged"), (swap, "damaged"), (take_away, "missing")]
)
def test_a_blob_that_is_not_itself_is_named_with_who_needs_it_and_comes_again_by_loading(
    harm: Callable[[ClusterImage], None], word: str, store: Store, image: ClusterImage, tmp_path: Path
) -> None:
    save(pack(store, "kube:v1"), tmp_path / "k.tar")
    store.tag("shop:1", image.descriptor)
    harm(image)
    [fault] = check(store).faults
    assert fault.message.startswith(f"blob {image.manifest.layers[0].digest}: {word}")
    assert "'kube:v1'" in fault.message
    assert "load, pull or build 'kube:v1'" in fault.hint
    repair(store)
    assert all("missing" in fault.message for fault in check(store).faults)
    load(store, tmp_path / "k.tar")
    assert check(store).faults == ()
    assert ClusterImage.open(store, "shop:1").read("etc/a") == b"1" * 5000


def test_a_damaged_manifest_is_told_once(store: Store, image: ClusterImage) -> None:
    store.blob_path(image.digest).write_bytes(b"{}")
    health = check(store)
    [fault] = health.faults
    assert image.digest in fault.message
    assert health.waste is None, "what it needs is not known"


def test_a_manifest_whose_sizes_lie_is_told(store: Store, image: ClusterImage) -> None:
    first, *others = image.manifest.layers
    lie = first.model_copy(update={"size": first.size + 1})
    data = encode(image.manifest.model_copy(update={"layers": (lie, *others)}))
    store.tag("kube:v1", store.put(data, media_type=image.descriptor.media_type))
    [fault] = check(store).faults
    assert f"{first.size} bytes; 'kube:v1' says {first.size + 1}" in fault.message


@pytest.mark.usefixtures("image")
def test_a_name_that_is_none_is_told_and_taken_out(store: Store) -> None:
    path = store.root / "index.json"
    index = json.loads(path.read_bytes())
    index["manifests"].append(
        {**index["manifests"][0], "annotations": {"org.opencontainers.image.ref.name": "No Name"}}
    )
    path.write_text(json.dumps(index))
    assert [found.reference.familiar for found in store.images()] == ["kube:v1"]
    [fault] = check(store).faults
    assert "'No Name'" in fault.message
    assert repair(store) == ("name 'No Name' removed",)
    assert check(store).faults == ()


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
@pytest.mark.usefixtures("image")
def test_a_document_of_the_layout_that_is_damaged_is_told(name: str, store: Store) -> None:
    (store.root / name).write_bytes(b"{")
    [fault] = check(store).faults
    assert name in fault.message
    assert fault.hint


@pytest.mark.usefixtures("image")
def test_what_nobody_needs_is_counted_and_no_fault(store: Store) -> None:
    store.put(b"unused", media_type="x")
    (store.root / "blobs" / "sha256" / "README").write_text("not ours")
    health = check(store)
    assert health.faults == ()
    assert health.waste == Waste(blobs=1, files=0, size=6)


@pytest.mark.usefixtures("image")
def test_a_damaged_blob_that_nobody_needs_is_told_as_such(store: Store) -> None:
    digest = store.put(b"unused", media_type="x").digest
    store.blob_path(digest).write_bytes(b"damaged")
    [fault] = check(store).faults
    assert "no image needs it" in fault.message
    assert repair(store) == (f"blob {digest} removed",)


@pytest.mark.usefixtures("image")
def test_repairing_what_is_whole_changes_nothing(store: Store) -> None:
    before = {digest: digest_of(store.blob_path(digest).read_bytes()) for digest in store.blobs()}
    assert repair(store) == ()
    assert {digest: digest_of(store.blob_path(digest).read_bytes()) for digest in store.blobs()} == before
