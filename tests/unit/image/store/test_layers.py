"""Layers as plain tars."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.manifest import OCI_LAYER, OCI_LAYER_GZIP, digest_of
from sealpy.image.store import Store, layers
from sealpy.image.store.layers import plain_layer

DATA = os.urandom(700_000) + bytes(3_000_000)
Pack = Callable[[], bytes]  # when the test runs: every process that tests reads this file


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def in_members(data: bytes) -> bytes:
    """Compress as tools do that let parts be fetched alone: one gzip file after the other."""
    return b"".join(gzip.compress(data[at : at + 300_000]) for at in range(0, len(data), 300_000))


@cache
def packed() -> bytes:
    return gzip.compress(DATA)


@pytest.mark.parametrize(
    "pack",
    [packed, lambda: in_members(DATA), lambda: packed() + bytes(512)],
    ids=["one member", "several members", "padded"],
)
def test_a_compressed_layer_is_unpacked_once_under_its_diff_id(store: Store, pack: Pack) -> None:
    layer = store.put(pack(), media_type=OCI_LAYER_GZIP)
    path = plain_layer(store, layer, digest_of(DATA))
    assert path == store.blob_path(digest_of(DATA))
    assert path.read_bytes() == DATA
    store.blob_path(layer.digest).unlink()
    assert plain_layer(store, layer, digest_of(DATA)) == path, "the copy is enough"


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        (lambda: packed()[:-700], "ends too early"),
        (lambda: packed()[:5000] + b"damage" + packed()[5006:], "incorrect|invalid|Error"),
        (lambda: b"never compressed", "incorrect header"),
        (lambda: gzip.compress(DATA + b"more"), "does not unpack to sha256:"),
        (lambda: b"", "does not unpack to sha256:"),
    ],
    ids=["cut", "damaged", "plain", "more than it should be", "empty"],
)
def test_a_layer_that_is_not_what_the_configuration_says_is_refused(store: Store, pack: Pack, reason: str) -> None:
    layer = store.put(pack(), media_type=OCI_LAYER_GZIP)
    with pytest.raises(ImageError, match=f"layer {layer.digest}: .*({reason})"):
        plain_layer(store, layer, digest_of(DATA))
    assert store.blobs() == {layer.digest}
    assert list((store.root / "incoming").iterdir()) == []


def test_a_plain_layer_of_another_digest_is_refused(store: Store) -> None:
    layer = store.put(b"other", media_type=OCI_LAYER)
    with pytest.raises(ImageError, match="a plain tar"):
        plain_layer(store, layer, digest_of(DATA))


def test_a_layer_that_is_made_to_fill_the_disk_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_HARMLESS", 1 << 20)
    zeros = bytes(40 << 20)
    layer = store.put(gzip.compress(zeros), media_type=OCI_LAYER_GZIP)
    with pytest.raises(ImageError, match="bytes that unpack to more than") as caught:
        plain_layer(store, layer, digest_of(zeros))
    assert "do not use the image" in caught.value.hint
    assert store.blobs() == {layer.digest}


@pytest.mark.parametrize("packed", [b"x", b""])
def test_a_layer_that_cannot_be_read_here_is_refused(store: Store, packed: bytes) -> None:
    layer = store.put(packed, media_type=f"{OCI_LAYER}+zstd")
    with pytest.raises(ImageError, match="cannot be read"):
        plain_layer(store, layer, digest_of(DATA))
