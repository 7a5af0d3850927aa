from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.assemble import Layer, write_layer
from sealpy.image.building.layer_cache import Forgetful, LayerCache, content_key, key_of
from sealpy.image.store import Store
from sealpy.image.tarball import Content, Member


def one(data: bytes = b"x", **member: object) -> Content:
    return [(Member(**{"path": "a", "size": len(data), **member}), data)]  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


@pytest.fixture
def layer(store: Store) -> Layer:
    return write_layer(store, one())


def test_a_layer_is_found_by_its_key_as_long_as_it_is_in_the_store(store: Store, layer: Layer) -> None:
    cache = LayerCache(store)
    assert cache.find("k") is None
    cache.keep("k", layer)
    found = cache.find("k")
    assert found is not None
    assert (found.digest, found.size) == (layer.digest, layer.size)
    assert [(entry.path, entry.layer) for entry in found.entries] == [("a", layer.digest)]
    store.blob_path(layer.digest).unlink()
    assert cache.find("k") is None


def test_a_record_that_cannot_be_read_counts_as_none(store: Store, layer: Layer) -> None:
    cache = LayerCache(store)
    cache.keep("k", layer)
    for damage in (b"", b"{", b'{"schemaVersion": 1, "layers": {}}'):
        (store.root / "cache" / "k").write_bytes(damage)
        assert cache.find("k") is None


def test_the_records_that_were_used_last_are_kept_when_there_are_too_many(
    store: Store, layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealpy.image.building.layer_cache._MOST", 4)
    cache = LayerCache(store)
    keys = [key_of(number) for number in range(5)]
    for number, key in enumerate(keys[:4]):
        cache.keep(key, layer)
        os.utime(store.root / "cache" / key, (number, number))
    cache.find(keys[0])
    cache.keep(keys[4], layer)
    assert [key for key in keys if cache.find(key)] == [keys[0], keys[4]]


def test_one_that_forgets_finds_nothing_and_still_remembers_for_others(store: Store, layer: Layer) -> None:
    Forgetful(store).keep("k", layer)
    assert Forgetful(store).find("k") is None
    assert LayerCache(store).find("k") is not None


def test_a_key_depends_on_content_alone(tmp_path: Path) -> None:
    keys = set()
    for number, name in enumerate(("one", "two")):
        path = tmp_path / name
        path.write_bytes(b"x")
        os.utime(path, (number, number))
        keys.add(content_key([(Member("a", size=1), path)]))
    assert keys == {content_key(one())}


@pytest.mark.parametrize(
    "other",
    [
        one(b"y"),
        one(path="b"),
        one(mode=0o755),
        one(uid=1),
        one(gid=1),
        one() + one(path="b"),
        [(Member("a", "symlink", target="x"), b"")],
        [(Member("a", "dir"), b"")],
    ],
)
def test_a_key_depends_on_all_that_is_in_a_layer(other: Content) -> None:
    assert content_key(other) != content_key(one())


def test_a_file_that_changes_its_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"longer")
    with pytest.raises(ImageError, match="a: changed while it was read"):
        content_key([(Member("a", size=1), tmp_path / "a")])


def test_keys_of_words_keep_them_apart() -> None:
    assert key_of("a", "bc") != key_of("ab", "c")
    assert key_of("a", ["b"]) != key_of("a", "b")
