"""Builds, loads and prunes at once; builds and saves that are killed: the store is valid, and the next try goes on."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from sealpy.errors import StoreError
from sealpy.image.archive.formats import Format
from sealpy.image.archive.load import load
from sealpy.image.archive.save import pack, save
from sealpy.image.building.build import build
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.store.check import check

KILLED = """
import os, sys; from pathlib import Path
from sealpy.image.store.blobs import BlobWriter
from sealpy.image.building.build import build
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.building.wish import Wish
write, count = BlobWriter.write, []
def dying(writer, piece):
    write(writer, piece); count.append(piece)
    if len(count) == {writes}:
        writer._file.flush(); os.kill(os.getpid(), 9)
BlobWriter.write = dying
context = Path(sys.argv[2])
wish = Wish(kubefile=context / "Kubefile", context=context, tag=Reference.parse("x:1"))
build(wish, store=Store(Path(sys.argv[1])), emit=lambda event: None)
"""

KILLED_SAVE = """
import os, sys; from pathlib import Path
from sealpy.image.archive.formats import Format; from sealpy.image.archive.save import pack, save
from sealpy.image.store import Store
count = []
def dying(size):
    count.append(size)
    if len(count) == 3:
        os.kill(os.getpid(), 9)
shipment = pack(Store(Path(sys.argv[1])), "kube:v1")
save(shipment, Path(sys.argv[2]), format_=Format(sys.argv[3]), part_size=int(sys.argv[4]), on_bytes=dying)
"""


def context(tmp_path: Path, name: str) -> Path:
    made = tmp_path / name
    (made / "etc").mkdir(parents=True)
    (made / "etc" / "shared").write_bytes(b"1" * 50_000)
    (made / "own").write_text(name)
    (made / "Kubefile").write_text("FROM scratch\nCOPY etc etc\nCOPY own etc/\n")
    return made


def built(store: Store, context: Path, tag: str) -> ClusterImage:
    wish = Wish(kubefile=context / "Kubefile", context=context, tag=Reference.parse(tag))
    return build(wish, store=store, emit=lambda _: None).images[0]


@pytest.mark.parametrize("writes", [1, 4, 8, 12])
def test_a_build_that_is_killed_leaves_a_valid_store_and_the_next_one_succeeds(writes: int, tmp_path: Path) -> None:
    store, site = Store(tmp_path / "images"), context(tmp_path, "a")
    words = [sys.executable, "-c", KILLED.format(writes=writes), str(store.root), str(site)]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -9
    assert store.images() == ()
    assert check(store).faults == ()
    assert built(store, site, "x:1").read("etc/own") == b"a"
    assert check(store).faults == ()
    store.prune()
    assert ClusterImage.open(store, "x:1").read("etc/shared") == b"1" * 50_000


def test_builds_and_prunes_at_once_do_each_other_no_harm(tmp_path: Path) -> None:
    root = tmp_path / "images"
    sites = [context(tmp_path, name) for name in "ab"]

    def build_often(number: int) -> None:
        for _ in range(4):
            opened = built(Store(root), sites[number], f"x:{number}")
            assert opened.read("etc/own") == b"ab"[number : number + 1]

    def prune_often(_: int) -> None:
        for _ in range(20):
            with suppress(StoreError):  # somebody uses the store
                Store(root).prune()

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(build_often, 0), pool.submit(build_often, 1), pool.submit(prune_often, 0)]
        for done in work:
            done.result()
    assert check(Store(root)).faults == ()
    assert [ClusterImage.open(Store(root), f"x:{n}").read("etc/own") for n in range(2)] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("format_", "part_size"),
    [(Format.OCI_ARCHIVE, 0), (Format.OCI_ARCHIVE, 30_000), (Format.OCI_DIR, 0), (Format.DOCKER_DIR, 0)],
)
def test_a_save_that_is_killed_leaves_nothing_under_its_name_and_the_next_one_tidies_up(
    format_: Format, part_size: int, tmp_path: Path
) -> None:
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    image = built(here, context(tmp_path, "a"), "kube:v1")
    out = tmp_path / "out" / "k"
    out.parent.mkdir()
    words = [sys.executable, "-c", KILLED_SAVE, str(image.store.root), str(out), format_.value, str(part_size)]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -9
    assert list((tmp_path / "out").glob("k*")) == []
    assert len(list((tmp_path / "out").iterdir())) == 1
    assert check(image.store).faults == ()
    saved = save(pack(image.store, "kube:v1"), out, format_=format_, part_size=part_size)
    assert sorted((tmp_path / "out").iterdir()) == sorted(saved.files)
    [loaded] = load(there, saved.files[0], tag="kube:v1")
    assert loaded.digest == image.digest
