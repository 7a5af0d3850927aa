"""What an image consists of."""

from __future__ import annotations

import pytest

from sealpy.errors import ImageError
from sealpy.image.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    RootFS,
    digest_of,
    encode,
)
from sealpy.image.store.graph import configuration, platforms, reach


class Blobs(dict[str, bytes]):
    def add(self, data: bytes, media_type: str) -> Descriptor:
        self[digest_of(data)] = data
        return Descriptor(media_type=media_type, digest=digest_of(data), size=len(data))

    def image(self, *layers: bytes) -> Descriptor:
        found = tuple(self.add(layer, OCI_LAYER) for layer in layers)
        config = ImageConfig(rootfs=RootFS(diff_ids=tuple(layer.digest for layer in found)))
        manifest = Manifest(config=self.add(encode(config), OCI_CONFIG), layers=found)
        return self.add(encode(manifest), OCI_MANIFEST)

    def index(self, *manifests: Descriptor) -> Descriptor:
        return self.add(encode(Index(manifests=manifests)), OCI_INDEX)

    def reached(self, *tops: Descriptor) -> list[str]:
        return [found.digest for found in reach(*tops, read=self.__getitem__, has=self.__contains__)]


def test_an_image_is_its_documents_and_its_layers_each_once() -> None:
    blobs = Blobs()
    one, two = blobs.image(b"base", b"a"), blobs.image(b"base", b"b")
    found = blobs.reached(blobs.index(one, two))
    assert found[1] == one.digest
    assert sorted(found) == sorted(blobs)


def test_platforms_that_are_not_here_are_left_out() -> None:
    blobs = Blobs()
    here = blobs.image(b"a")
    away = Descriptor(media_type=OCI_MANIFEST, digest=digest_of(b"away"), size=4)
    top = blobs.index(away, here)
    assert away.digest not in blobs.reached(top)
    [(descriptor, manifest)] = platforms(top, read=blobs.__getitem__, has=blobs.__contains__)
    assert descriptor == here
    assert configuration(manifest, read=blobs.__getitem__).rootfs.diff_ids == (digest_of(b"a"),)


def test_indexes_that_are_nested_deep_or_listed_often_do_no_harm() -> None:
    blobs = Blobs()
    top = blobs.image(b"a")
    for _ in range(2000):
        top = blobs.index(top, top)
    assert len(blobs.reached(top)) == 2003


def test_a_document_that_is_none_is_refused_by_its_digest() -> None:
    blobs = Blobs()
    top = blobs.add(b"[]", OCI_MANIFEST)
    with pytest.raises(ImageError, match=top.digest):
        blobs.reached(top)
