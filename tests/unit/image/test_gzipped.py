"""Copies with packed layers, for tools that read no plain ones."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.errors import ImageError, StoreError
from sealpy.events import Event, TaskProgress
from sealpy.image.archive.formats import Format
from sealpy.image.archive.load import load
from sealpy.image.archive.save import pack, save
from sealpy.image.assemble import assemble, write_index, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.gzipped import gzipped
from sealpy.image.manifest import DOCKER_MANIFEST, OCI_INDEX, OCI_LAYER, OCI_LAYER_GZIP, Descriptor, Platform
from sealpy.image.metadata import Metadata
from sealpy.image.progress import Progress
from sealpy.image.store import Store
from sealpy.image.store.check import check
from sealpy.image.tarball import walk

BIG = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256)) * 400  # more than one piece


def made(store: Store, name: str = "kube:v1", architecture: str = "amd64") -> ClusterImage:
    layers = [write_layer(store, walk({"bin/tool": BIG})), write_layer(store, walk({"etc/a": architecture.encode()}))]
    return assemble(store, name, base=None, layers=layers, metadata=Metadata(), architecture=architecture)


@pytest.fixture
def image(tmp_path: Path) -> ClusterImage:
    return made(Store(tmp_path / "here"))


def saved(image: ClusterImage, out: Path, format_: Format = Format.OCI_ARCHIVE) -> Descriptor:
    """Save a packed copy, and give what it is called by its digest."""
    with gzipped(image.store, image.descriptor, progress=Progress(lambda _: None, "save")) as top:
        save(pack(image.store, str(image.reference), instead=top), out, format_=format_)
        return top


def test_a_packed_copy_is_read_back_with_the_same_files_and_the_same_configuration(
    tmp_path: Path, image: ClusterImage
) -> None:
    top = saved(image, tmp_path / "k.tar")
    [copy] = load(Store(tmp_path / "there"), tmp_path / "k.tar")
    assert copy.digest == top.digest != image.digest
    assert (copy.files, copy.manifest.config) == (image.files, image.manifest.config)
    assert copy.manifest.annotations == image.manifest.annotations
    assert {layer.media_type for layer in copy.manifest.layers} == {OCI_LAYER_GZIP}
    for layer, diff_id in zip(copy.manifest.layers, copy.config.rootfs.diff_ids, strict=True):
        data = copy.store.blob_path(layer.digest).read_bytes()
        assert (len(data), data[4:8], data[3]) == (layer.size, bytes(4), 0)  # no time, no name
        assert f"sha256:{hashlib.sha256(gzip.decompress(data)).hexdigest()}" == diff_id
    assert check(copy.store).faults == ()


def test_the_same_image_gives_the_same_copy_and_nothing_of_it_stays(tmp_path: Path, image: ClusterImage) -> None:
    before = image.store.blobs()
    again = made(Store(tmp_path / "elsewhere"))
    assert saved(image, tmp_path / "a.tar") == saved(again, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert image.store.blobs() == before


def test_what_a_copy_left_that_was_killed_is_taken_away_by_the_next(image: ClusterImage) -> None:
    before, progress = image.store.blobs(), Progress(lambda _: None, "save")
    with gzipped(image.store, image.descriptor, progress=progress):
        left = [image.store.blob_path(digest).read_bytes() for digest in image.store.blobs() - before]
    for data in left:
        image.store.put(data, media_type=OCI_LAYER_GZIP)
    with gzipped(image.store, image.descriptor, progress=progress):
        pass
    assert image.store.blobs() == before


def test_how_far_it_is_is_told_in_plain_bytes(image: ClusterImage) -> None:
    told: list[Event] = []
    with gzipped(image.store, image.descriptor, progress=Progress(told.append, "save")):
        first, last = (event for event in (told[0], told[-1]) if isinstance(event, TaskProgress))
    assert first.detail == "pack 3 layers by gzip"
    assert last.done == last.total == sum(layer.size for layer in image.manifest.layers)


def test_every_platform_of_an_index_is_packed_and_says_which_it_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    platforms = [
        made(store, f"kube:{arch}", arch).descriptor.model_copy(update={"platform": Platform(architecture=arch)})
        for arch in ("amd64", "arm64")
    ]
    absent = platforms[0].model_copy(update={"digest": f"sha256:{'0' * 64}"})
    store.tag("kube:all", write_index(store, [*platforms, absent]))
    with gzipped(store, store.resolve("kube:all"), progress=Progress(lambda _: None, "save")) as top:
        index = json.loads(store.read(top.digest))
        assert (top.media_type, [entry["platform"]["architecture"] for entry in index["manifests"]]) == (
            OCI_INDEX,
            ["amd64", "arm64", "amd64"],
        )
        assert index["manifests"][2]["digest"] == absent.digest  # not here: listed as before
        manifests = [json.loads(store.read(entry["digest"])) for entry in index["manifests"][:2]]
        assert {layer["mediaType"] for one in manifests for layer in one["layers"]} == {OCI_LAYER_GZIP}
        for entry in index["manifests"][:2]:
            assert entry["size"] == store.blob_path(entry["digest"]).stat().st_size
        save(pack(store, "kube:all", instead=top), tmp_path / "k.tar")
    there = Store(tmp_path / "there")
    load(there, tmp_path / "k.tar")
    assert there.resolve("kube:all").digest == top.digest


def test_an_image_that_is_packed_already_is_taken_as_it_is(tmp_path: Path, image: ClusterImage) -> None:
    saved(image, tmp_path / "k.tar")
    [copy] = load(Store(tmp_path / "there"), tmp_path / "k.tar")
    before = copy.store.blobs()
    with gzipped(copy.store, copy.descriptor, progress=Progress(lambda _: None, "save")) as top:
        assert (top, copy.store.blobs()) == (copy.descriptor, before)
    assert copy.store.blobs() == before


def rewritten(image: ClusterImage, change: Callable[[dict[str, object]], None]) -> Descriptor:
    manifest = json.loads(image.store.read(image.digest))
    change(manifest)
    return image.store.put(json.dumps(manifest).encode(), media_type=str(manifest["mediaType"]))


def test_documents_of_docker_stay_such_and_what_we_do_not_know_of_is_kept(image: ClusterImage) -> None:
    docker = "application/vnd.docker.image.rootfs.diff.tar"

    def as_docker_has_it(manifest: dict[str, object]) -> None:
        layers = [{**layer, "mediaType": docker, "data": "aGk=", "x-ours": 1} for layer in _layers(manifest)]
        attestation = {"mediaType": "application/vnd.in-toto+json", "digest": f"sha256:{'1' * 64}", "size": 3}
        manifest.update(mediaType=DOCKER_MANIFEST, layers=[*layers, attestation], unheard={"of": True})

    top = rewritten(image, as_docker_has_it)
    with gzipped(image.store, top, progress=Progress(lambda _: None, "save")) as copy:
        manifest = json.loads(image.store.read(copy.digest))
    assert (copy.media_type, manifest["unheard"]) == (DOCKER_MANIFEST, {"of": True})
    *layers, attestation = manifest["layers"]
    assert {layer["mediaType"] for layer in layers} == {f"{docker}.gzip"}
    assert all(layer["x-ours"] == 1 and "data" not in layer for layer in layers)
    assert attestation["mediaType"] == "application/vnd.in-toto+json"


def _layers(manifest: dict[str, object]) -> list[dict[str, object]]:
    layers = manifest["layers"]
    assert isinstance(layers, list)
    return layers


def test_layers_that_are_packed_otherwise_are_refused_before_any_is_packed(image: ClusterImage) -> None:
    def as_zstd(manifest: dict[str, object]) -> None:
        _layers(manifest)[-1]["mediaType"] = f"{OCI_LAYER}+zstd"

    top = rewritten(image, as_zstd)
    before = image.store.blobs()
    told: list[Event] = []
    with (
        pytest.raises(ImageError, match=r"tar\+zstd' cannot be packed by gzip") as caught,
        gzipped(image.store, top, progress=Progress(told.append, "save")),
    ):
        pass
    assert "leave out --compression-format" in caught.value.hint
    assert (told, image.store.blobs()) == ([], before)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(lambda data: data[:-1], "not whole in"), (lambda data: data.replace(b"\x6e", b"\x6f", 1), "damaged in")],
    ids=["cut", "changed"],
)
def test_a_damaged_layer_is_told_and_nothing_stays(
    damage: Callable[[bytes], bytes], reason: str, image: ClusterImage
) -> None:
    path = image.store.blob_path(image.manifest.layers[0].digest)
    path.write_bytes(damage(path.read_bytes()))
    before = image.store.blobs()
    with (
        pytest.raises(StoreError, match=reason),
        gzipped(image.store, image.descriptor, progress=Progress(lambda _: None, "save")),
    ):
        pass
    assert image.store.blobs() == before
    assert list((image.store.root / "incoming").iterdir()) == []


def test_a_disk_that_fills_up_is_told_and_nothing_stays(image: ClusterImage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = image.store.blobs()
    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(StoreError, match="no space left on device") as caught,
        gzipped(image.store, image.descriptor, progress=Progress(lambda _: None, "save")),
    ):
        pass
    assert "make room" in caught.value.hint
    monkeypatch.undo()
    assert image.store.blobs() == before
    assert list((image.store.root / "incoming").iterdir()) == []


@pytest.mark.skipif(not (shutil.which("skopeo") and shutil.which("umoci")), reason="needs skopeo and umoci")
def test_skopeo_and_umoci_read_it(tmp_path: Path, image: ClusterImage) -> None:
    top = saved(image, tmp_path / "layout", Format.OCI_DIR)
    command = ["skopeo", "copy", "-q", "--insecure-policy", "--preserve-digests", f"oci:{tmp_path}/layout"]
    subprocess.run([*command, f"oci:{tmp_path}/again:k"], check=True)
    [entry] = json.loads((tmp_path / "again" / "index.json").read_bytes())["manifests"]
    assert entry["digest"] == top.digest
    words = ["--rootless"] if os.geteuid() else []
    subprocess.run(["umoci", "unpack", *words, "--image", f"{tmp_path}/again:k", tmp_path / "bundle"], check=True)
    assert (tmp_path / "bundle" / "rootfs" / "bin" / "tool").read_bytes() == BIG
