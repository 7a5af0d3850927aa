"""An image to be signed, and keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk
from sealpy.image.trust import SigningKey


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


@pytest.fixture
def image(store: Store) -> ClusterImage:
    layers = [write_layer(store, walk({"etc/motd": b"hi\n"}))]
    return assemble(store, "shop:1", base=None, layers=layers, metadata=Metadata())


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.create(tmp_path / "ann", passphrase="")


@pytest.fixture
def other_key(tmp_path: Path) -> SigningKey:
    return SigningKey.create(tmp_path / "bob", passphrase="")
