"""Cluster images as one file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from sealpy.errors import DigestMismatchError, ImageError, StoreError
from sealpy.image.archive.load import load
from sealpy.image.archive.save import pack, save
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.container import write_container_image
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store, Waste
from sealpy.image.store.check import check
from sealpy.image.tarball import walk


@pytest.fixture
def image(tmp_path: Path) -> ClusterImage:
    store = Store(tmp_path / "here")
    layers = [write_layer(store, walk({"bin/tool": b"x" * 100_000})), write_layer(store, walk({"etc/a": b"1"}))]
    return assemble(store, "kube:v1", base=None, layers=layers, metadata=Metadata(labels={"k": "v"}))


def keep(image: ClusterImage, out: Path) -> int:
    return save(pack(image.store, str(image.reference)), out).size


def blobs(store: Store) -> list[Path]:
    return [path for name in ("blobs/sha256", "incoming") for path in (store.root / name).iterdir()]


def test_an_image_comes_back_the_same(tmp_path: Path, image: ClusterImage) -> None:
    assert keep(image, tmp_path / "k.tar") == (tmp_path / "k.tar").stat().st_size
    there = Store(tmp_path / "there")
    [loaded] = load(there, tmp_path / "k.tar")
    assert (loaded.digest, loaded.reference) == (image.digest, image.reference)
    assert loaded.files == image.files
    assert ClusterImage.open(there, "kube:v1").read("etc/a") == b"1"


def test_the_same_image_gives_the_same_archive_and_no_other_file(tmp_path: Path, image: ClusterImage) -> None:
    (tmp_path / "out").mkdir()
    for name in ("a.tar", "b.tar"):
        keep(image, tmp_path / "out" / name)
    assert (tmp_path / "out" / "a.tar").read_bytes() == (tmp_path / "out" / "b.tar").read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.tar", "b.tar"]


def test_an_image_may_be_loaded_under_another_name(tmp_path: Path, image: ClusterImage) -> None:
    keep(image, tmp_path / "k.tar")
    load(Store(tmp_path / "there"), tmp_path / "k.tar", tag="mine:2")
    assert [i.reference.familiar for i in Store(tmp_path / "there").images()] == ["mine:2"]


def test_a_layout_directory_is_loaded_as_well(tmp_path: Path, image: ClusterImage) -> None:
    keep(image, tmp_path / "k.tar")
    (tmp_path / "layout").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "k.tar", "-C", tmp_path / "layout"], check=True)
    [loaded] = load(Store(tmp_path / "there"), tmp_path / "layout")
    assert loaded.digest == image.digest


def test_bytes_that_were_changed_on_the_way_are_refused_and_the_rest_need_not_come_again(
    tmp_path: Path, image: ClusterImage
) -> None:
    keep(image, tmp_path / "k.tar")
    good = (tmp_path / "k.tar").read_bytes()
    (tmp_path / "k.tar").write_bytes(good.replace(b"x" * 600, b"x" * 599 + b"y", 1))
    there = Store(tmp_path / "there")
    with pytest.raises(DigestMismatchError, match=r"k\.tar: blob sha256:"):
        load(there, tmp_path / "k.tar")
    assert there.images() == ()
    assert check(there).faults == ()
    (tmp_path / "k.tar").write_bytes(good)
    announced: list[int] = []
    moved: list[int] = []

    def begin(total: int) -> Callable[[int], None]:
        announced.append(total)
        return moved.append

    load(there, tmp_path / "k.tar", begin=begin)
    assert announced == [sum(moved)]
    assert sum(moved) < len(good)
    assert check(there).faults == ()


def test_a_blob_damaged_here_does_not_go_out(tmp_path: Path, image: ClusterImage) -> None:
    blob = image.store.blob_path(image.manifest.layers[0].digest)
    blob.write_bytes(blob.read_bytes().replace(b"x", b"y", 1))
    (tmp_path / "out").mkdir()
    with pytest.raises(StoreError, match="damaged"):
        keep(image, tmp_path / "out" / "k.tar")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"text", b"kind: Cluster\n" * 100, bytes(100), bytes(10240)])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "k.tar").write_bytes(data)
    with pytest.raises(ImageError, match=r"k\.tar: no archive of an image$") as caught:
        load(Store(tmp_path / "there"), tmp_path / "k.tar")
    assert "'sealpy save'" in caught.value.hint


def test_a_list_of_platforms_in_several_archives_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "Metadata").write_text("kubernetes:v1")
    with tarfile.open(tmp_path / "k.tar", "w") as tar:
        tar.add(tmp_path / "Metadata", "Metadata")
    with pytest.raises(ImageError, match="several archives in one") as caught:
        load(Store(tmp_path / "there"), tmp_path / "k.tar")
    assert "load each tar in it" in caught.value.hint


KILLED = """
import os, sys; from pathlib import Path
from sealpy.image.store.blobs import BlobWriter; from sealpy.image.archive.load import load
from sealpy.image.store import Store
write, count = BlobWriter.write, []
def dying(writer, piece):
    write(writer, piece); count.append(piece)
    if len(count) == {pieces}:
        writer._file.flush(); os.kill(os.getpid(), 9)
BlobWriter.write = dying
load(Store(Path(sys.argv[1])), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("pieces", [1, 2, 3, 4])
def test_a_load_that_is_killed_leaves_a_valid_store_and_goes_on(
    pieces: int, tmp_path: Path, image: ClusterImage
) -> None:
    keep(image, tmp_path / "k.tar")
    there = Store(tmp_path / "there")
    words = [sys.executable, "-c", KILLED.format(pieces=pieces), str(there.root), str(tmp_path / "k.tar")]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -9
    assert there.images() == ()
    assert check(there).faults == ()
    moved: list[int] = []
    [loaded] = load(there, tmp_path / "k.tar", begin=lambda _: moved.append)
    assert loaded.files == image.files
    assert len(moved) == 5 - pieces, "what was written is not written again"
    assert check(there).waste == Waste(0, 0, 0)


def test_loads_a_removal_and_prunes_at_once_do_each_other_no_harm(tmp_path: Path, image: ClusterImage) -> None:
    keep(image, tmp_path / "k.tar")
    there = tmp_path / "there"

    def work(number: int) -> None:
        store, name = Store(there), f"kube:v{number % 3}"
        for _ in range(5):
            load(store, tmp_path / "k.tar", tag=name)
            with suppress(StoreError):  # somebody uses the store
                store.prune()
            with suppress(StoreError):  # another of our kind was faster
                store.remove(name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert check(Store(there)).faults == ()
    load(Store(there), tmp_path / "k.tar")
    assert check(Store(there)).faults == ()
    assert Store(there).prune() == Waste(0, 0, 0)


def test_an_ordinary_container_image_can_be_loaded_too(tmp_path: Path) -> None:
    write_container_image(tmp_path / "w.tar", reference="web:1", layers=[{"srv/index.html": b"hi"}])
    [loaded] = load(Store(tmp_path / "there"), tmp_path / "w.tar")
    assert loaded.read("srv/index.html") == b"hi"


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
def test_skopeo_reads_the_archive_and_the_store_and_gives_both_back(tmp_path: Path, image: ClusterImage) -> None:
    keep(image, tmp_path / "k.tar")
    for source in (f"oci-archive:{tmp_path}/k.tar", f"oci:{image.store.root}:{image.reference}"):
        seen = subprocess.run(["skopeo", "inspect", source], capture_output=True, check=True)
        assert json.loads(seen.stdout)["Labels"] == {"k": "v"}
        copy = ["skopeo", "copy", "-q", "--insecure-policy", source, f"oci-archive:{tmp_path}/copy.tar:kube:v1"]
        subprocess.run(copy, check=True)
        [loaded] = load(Store(tmp_path / "there"), tmp_path / "copy.tar")
        assert loaded.files == image.files
        assert loaded.metadata == image.metadata


@pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is not installed")
def test_umoci_unpacks_the_store(tmp_path: Path, image: ClusterImage) -> None:
    image.store.tag("kube", image.descriptor)
    layout = tmp_path / "layout"
    copy = ["skopeo", "copy", "-q", "--insecure-policy", f"oci:{image.store.root}:{image.reference}", f"oci:{layout}:k"]
    subprocess.run(copy, check=True)
    subprocess.run(["umoci", "unpack", "--rootless", "--image", f"{layout}:k", tmp_path / "b"], check=True)
    assert (tmp_path / "b" / "rootfs" / "etc" / "a").read_bytes() == b"1"
