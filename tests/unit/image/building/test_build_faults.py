"""Builds that are killed, that run at once with others and with prune, and that find the disk full."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sealpy.errors import StoreError
from sealpy.image.building.build import build
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.store.check import check

REPOSITORY = Path(__file__).parents[4]
SEALPY = [sys.executable, "-c", "from sealpy.cli.app import main; main()", "--output", "json"]
FILES = 12
SIZE = 1 << 20


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """Make a context of 12 MB, which takes a moment."""
    context = tmp_path / "context"
    for number in range(FILES):
        path = context / "files" / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * SIZE)
    (context / "Kubefile").write_text("FROM scratch\nARG WHICH=0\nCOPY files/${WHICH} first\nCOPY files all/\n")
    return context


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home" / "images")


def made(context: Path, store: Store, tag: str, which: int = 0) -> ClusterImage:
    wish = Wish(
        kubefile=context / "Kubefile",
        context=context,
        tag=Reference.parse(tag),
        build_args={"WHICH": str(which)},
        caching="renew",
    )
    return build(wish, store=store, emit=lambda _: None).images[0]


def started(context: Path, store: Store, *, most: int = 0) -> subprocess.Popen[str]:
    """Begin to build in a process of its own, which may write files of at most so many bytes."""
    env = {**os.environ, "SEALPY_HOME": str(store.root.parent)}
    limits = (most, most) if most else (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    command = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, {limits}); {SEALPY[2]}"
    return subprocess.Popen(
        [SEALPY[0], "-c", command, *SEALPY[3:], "build", "--no-sbom", "-t", "x:1", str(context)],
        env=env,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_a_build_that_is_killed_leaves_a_valid_store_and_the_next_one_makes_the_same(
    context: Path, store: Store, tmp_path: Path, share: float
) -> None:
    expected = made(context, Store(tmp_path / "elsewhere"), "x:1").digest
    with started(context, store) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event.get("total", 0) > SIZE and event.get("done", 0) >= share * event["total"]:
                break
        process.kill()
    found = check(store)
    assert (found.images, found.faults) == (0, ())
    assert made(context, store, "x:1").digest == expected
    assert check(store).faults == ()
    assert list((store.root / "incoming").iterdir()) == []
    assert list((store.root / "work").iterdir()) == []


@pytest.mark.timeout(300)  # four threads of work: a machine with other things to do takes its time
def test_builds_at_once_and_a_prune_that_never_rests_do_each_other_no_harm(context: Path, store: Store) -> None:
    ready = threading.Event()
    refused = 0

    def prune() -> None:
        nonlocal refused
        while not ready.is_set():
            try:
                store.prune()
            except StoreError:
                refused += 1

    pruning = threading.Thread(target=prune)
    pruning.start()
    with ThreadPoolExecutor(3) as pool:
        images = list(pool.map(lambda number: made(context, store, f"x:{number}", number % 4), range(6)))
    ready.set()
    pruning.join()
    assert refused, "a prune met a build"
    assert len({image.digest for image in images}) == 4
    for number, image in enumerate(images):
        assert ClusterImage.open(store, f"x:{number}").digest == image.digest
        assert image.read("first") == bytes([number % 4]) * SIZE
    assert check(store).faults == ()


def test_a_full_disk_is_told_with_what_to_do_and_nothing_half_written_stays(context: Path, store: Store) -> None:
    with started(context, store, most=5 * SIZE) as process:
        out, err = process.communicate()
    assert process.returncode == 1
    told = json.loads(out.splitlines()[-1])
    assert "file too large" in told["message"], err
    assert "sealpy prune" in told["hint"]
    assert check(store).faults == ()
    assert list((store.root / "incoming").iterdir()) == []
    assert made(context, store, "x:1").read("all/3") == bytes([3]) * SIZE
