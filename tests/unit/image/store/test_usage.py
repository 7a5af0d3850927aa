"""What the local images take on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.store.usage import usage
from sealpy.image.tarball import walk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def image(store: Store, tag: str, base: ClusterImage | None = None, **files: bytes) -> ClusterImage:
    layers = [write_layer(store, walk({name: data})) for name, data in files.items()]
    return assemble(store, tag, base=base, layers=layers, metadata=Metadata())


def test_an_image_alone_owns_all_it_has(store: Store) -> None:
    opened = image(store, "x:1", a=b"1")
    [found] = usage(store)
    assert (found.size, found.shared, found.platforms) == (opened.size, 0, ("linux/amd64",))
    assert found.own == opened.size


def test_removing_frees_what_was_said_to_be_its_own(store: Store) -> None:
    base = image(store, "base:1", a=b"1" * 9000)
    image(store, "app:1", base, b=b"2")
    app, below = usage(store)
    assert app.shared == below.shared == base.manifest.layers[0].size
    assert store.remove("app:1") == app.own
    assert usage(store)[0].own == below.own + below.shared


def test_two_names_of_one_image_share_nothing_with_others(store: Store) -> None:
    opened = image(store, "x:1", a=b"1")
    store.tag("y:1", opened.descriptor)
    assert [(found.own, found.shared) for found in usage(store)] == [(opened.size, 0)] * 2


def test_a_damaged_image_is_listed_with_its_problem(store: Store) -> None:
    image(store, "good:1", a=b"1")
    broken = image(store, "x:1", b=b"2")
    store.blob_path(broken.digest).write_bytes(b"damaged")
    good, bad = usage(store)
    assert (good.problem, bad.size) == ("", 0)
    assert broken.digest in bad.problem
