"""The local images."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sealpy.errors import BadReferenceError, DigestMismatchError, ImageError, StoreError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_INDEX, Index, digest_of, encode
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def image(store: Store, tag: str, **files: bytes) -> ClusterImage:
    layers = [write_layer(store, walk({name: data})) for name, data in files.items()]
    return assemble(store, tag, base=None, layers=layers, metadata=Metadata())


def blobs(store: Store) -> set[str]:
    return {path.name for path in store.blob_path("").iterdir()}


def test_nothing_is_made_by_looking(store: Store) -> None:
    assert store.images() == ()
    assert not store.root.exists()


def test_a_blob_is_what_its_digest_says(store: Store) -> None:
    descriptor = store.put(b"hello", media_type="text/plain")
    assert descriptor.digest == digest_of(b"hello")
    assert store.read(descriptor.digest) == b"hello"


def test_a_torn_write_leaves_nothing(store: Store) -> None:
    with store.blob() as blob:
        blob.write(b"half, and then the power went")
    assert blobs(store) == set()
    assert list((store.root / "incoming").iterdir()) == []


def test_bytes_that_are_not_what_was_expected_are_refused(store: Store) -> None:
    with store.blob() as blob:
        blob.write(b"evil")
        with pytest.raises(DigestMismatchError):
            blob.commit(digest_of(b"good"))
    assert blobs(store) == set()


def test_a_blob_that_was_damaged_later_is_found_out(store: Store) -> None:
    digest = store.put(b"hello", media_type="x").digest
    store.blob_path(digest).write_bytes(b"hellO")
    with pytest.raises(StoreError, match="damaged"):
        store.read(digest)


def test_the_store_is_an_oci_layout_for_its_owner_alone(store: Store) -> None:
    image(store, "x:1", a=b"1")
    assert json.loads((store.root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    [entry] = json.loads((store.root / "index.json").read_bytes())["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "docker.io/library/x:1"}
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.root.rglob("*") if path.is_file()} <= {0o600, 0o644}


def test_an_image_is_found_by_any_form_of_its_name(store: Store) -> None:
    opened = image(store, "x", a=b"1")
    for name in ("x", "x:latest", "docker.io/library/x:latest", f"x@{opened.digest}"):
        assert store.resolve(name).digest == opened.digest


def test_a_missing_image_is_refused_with_the_nearest_name(store: Store) -> None:
    image(store, "kubernetes:v1.34.4", a=b"1")
    with pytest.raises(StoreError) as caught:
        store.resolve("kubernetes:v1.34.3")
    assert caught.value.hint == "did you mean 'kubernetes:v1.34.4'?"


def test_a_tag_moves_to_the_image_that_got_it_last(store: Store) -> None:
    first, second = image(store, "x:1", a=b"1"), image(store, "x:1", a=b"2")
    assert first.digest != second.digest
    assert [found.descriptor.digest for found in store.images()] == [second.digest]


def test_an_image_may_have_several_names(store: Store) -> None:
    image(store, "x:1", a=b"1")
    store.tag("y:2", store.resolve("x:1"))
    assert [found.reference.familiar for found in store.images()] == ["x:1", "y:2"]
    store.remove("x:1")
    assert ClusterImage.open(store, "y:2").read("a") == b"1"


def test_a_digest_is_no_tag(store: Store) -> None:
    descriptor = image(store, "x:1", a=b"1").descriptor
    with pytest.raises(BadReferenceError):
        store.tag(f"x@{descriptor.digest}", descriptor)


def test_removing_an_image_frees_only_what_no_other_needs(store: Store) -> None:
    image(store, "x:1", a=b"1", b=b"2")
    kept = image(store, "y:1", a=b"1")
    before = blobs(store)
    assert store.remove("x:1") > 0
    assert blobs(store) < before
    assert ClusterImage.open(store, "y:1").read("a") == b"1"
    store.remove(f"y@{kept.digest}")
    assert blobs(store) == set()


def test_what_is_being_added_is_not_collected(store: Store) -> None:
    with store.keeping():
        digest = store.put(b"new", media_type="x").digest
        assert store.collect() == 0
    assert store.has(digest)
    assert store.collect() == 3
    assert not store.has(digest)


def test_an_index_of_platforms_leads_to_the_one_that_is_here(store: Store) -> None:
    opened = image(store, "x:1", a=b"1")
    entry = opened.descriptor.model_copy(update={"annotations": None})
    store.tag("multi:1", store.put(encode(Index(manifests=(entry,))), media_type=OCI_INDEX))
    store.remove("x:1")
    assert ClusterImage.open(store, "multi:1").digest == opened.digest
    store.tag("empty:1", store.put(encode(Index()), media_type=OCI_INDEX))
    with pytest.raises(ImageError, match="no image for linux"):
        ClusterImage.open(store, "empty:1")
