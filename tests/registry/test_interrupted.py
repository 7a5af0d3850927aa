"""Pulls and pushes that are cut, killed, or find no room; and the next try."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sealpy.image.assemble import assemble, write_layer
from sealpy.image.metadata import Metadata
from sealpy.image.tarball import walk
from tests.registry.conftest import SEALPY, Sealpy
from tests.registry.cutting import Way, cutting
from tests.registry.servers import Distribution

BIG = 30_000_000
MOST_OVERHEAD = 100_000  # bytes of manifests and headers


@pytest.fixture
def pushed(plain: Distribution, sealpy: Sealpy, request: pytest.FixtureRequest) -> str:
    """Have an image in the registry, and give its path."""
    path = f"cuts/{request.node.name.replace('_', '-').lower()}"
    sealpy.image(f"{plain.address}/{path}:1", big=os.urandom(BIG))
    sealpy("push", f"{plain.address}/{path}:1")
    return path


def test_a_pull_whose_connection_is_cut_fetches_no_byte_twice(plain: Distribution, other: Sealpy, pushed: str) -> None:
    with cutting(plain.address) as way:
        way.down_cuts += [7_000_000, 9_000_000, 100]
        name = f"{way.address}/{pushed}:1"
        other("pull", name)
        assert way.down_cuts == []
        assert way.down < BIG + 4 * (1 << 16) + MOST_OVERHEAD
    assert other("store", "check")


def test_a_push_whose_connection_is_cut_goes_on_where_it_ended(plain: Distribution, sealpy: Sealpy) -> None:
    with cutting(plain.address) as way:
        name = f"{way.address}/cuts/push:1"
        sealpy.image(name, big=os.urandom(BIG))
        way.up_cuts += [11_000_000, 8_000_000]
        told = sealpy("push", name)
        assert way.up_cuts == []
        assert told["sent"] == 3
        assert way.up < BIG + 8_000_000  # what was on its way when it was cut may be lost, no more
    again = sealpy("push", name, f"{plain.address}/cuts/push:1")
    assert (again["present"], again["bytes"]) == (3, 0)


def test_a_pull_that_is_killed_leaves_a_whole_store_and_the_next_one_goes_on(
    plain: Distribution, other: Sealpy, pushed: str
) -> None:
    with cutting(plain.address) as way:
        name = f"{way.address}/{pushed}:1"
        command = [str(SEALPY), "--output", "json", "pull", name]
        way.pause = 0.002
        process = subprocess.Popen(command, env=other.environment(), stdout=subprocess.DEVNULL)
        wait_for_bytes(way, 3_000_000)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        here = partial_bytes(other)
        assert 0 < here < BIG
        assert other("images") == []
        assert other("store", "check")
        way.down = 0
        other("pull", name)
        assert way.down < BIG - here + MOST_OVERHEAD
    assert partial_bytes(other) == 0
    assert other("store", "check")


def test_a_build_that_is_killed_while_a_container_image_comes_goes_on_with_it(
    plain: Distribution, other: Sealpy, pushed: str, tmp_path: Path
) -> None:
    with cutting(plain.address) as way:
        (tmp_path / "Kubefile").write_text("FROM scratch\nCOPY imageList manifests/imageList\n")
        (tmp_path / "imageList").write_text(f"{way.address}/{pushed}:1\n")
        command = [str(SEALPY), "--output", "json", "build", "-t", "shop:1", str(tmp_path)]
        way.pause = 0.002
        process = subprocess.Popen(command, env=other.environment(), stdout=subprocess.DEVNULL)
        wait_for_bytes(way, 3_000_000)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        here = partial_bytes(other)
        assert 0 < here < BIG
        assert other("images") == []
        assert other("store", "check")
        way.pause, way.down = 0.0, 0
        other(*command[3:])
        assert way.down < BIG - here + MOST_OVERHEAD
    assert partial_bytes(other) == 0
    assert other("store", "check")


@pytest.fixture
def killed(plain: Distribution, sealpy: Sealpy) -> Iterator[tuple[str, Way, Path]]:
    """Have a push that was killed in a large layer: its name, the way to the registry, where that keeps uploads."""
    with cutting(plain.address) as way:
        name = f"{way.address}/cuts/{os.urandom(4).hex()}:1"
        layers = [write_layer(sealpy.store, walk({f"l{n}": os.urandom(size)})) for n, size in enumerate((BIG, 999, 99))]
        assemble(sealpy.store, name, base=None, layers=layers, metadata=Metadata())
        command = [str(SEALPY), "--output", "json", "push", name]
        way.up_pause = 0.002
        process = subprocess.Popen(command, env=sealpy.environment(), stdout=subprocess.DEVNULL)
        wait_for_bytes(way, 10_000_000, up=True)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        way.up_pause = 0.0
        assert sealpy("store", "check")
        repository = plain.root / "docker/registry/v2/repositories" / name.partition("/")[2].removesuffix(":1")
        yield name, way, repository / "_uploads"


def arrived_bytes(uploads: Path) -> int:
    """Count the bytes of the upload that was cut, once the registry has written down all that came."""
    size, before = 0, -1
    until = time.monotonic() + 100
    while size != before or not size:
        assert time.monotonic() < until, "nothing has arrived"
        time.sleep(0.2)
        size, before = sum(path.stat().st_size for path in uploads.glob("*/data")), size
    return size


def test_a_push_that_is_killed_is_gone_on_with_by_the_next_one_in_the_middle_of_a_blob(
    sealpy: Sealpy, other: Sealpy, killed: tuple[str, Way, Path]
) -> None:
    name, way, uploads = killed
    here = arrived_bytes(uploads)
    assert 0 < here < BIG
    way.up = 0
    told = sealpy("push", name)
    assert told["present"] > 0, "what arrived whole is not sent again"
    assert told["present"] + told["sent"] == 5
    assert told["bytes"] < BIG - here + MOST_OVERHEAD
    assert way.up < BIG - here + MOST_OVERHEAD
    assert partial_bytes(sealpy) == 0
    assert other("pull", name)["digest"] == told["digest"]
    assert other("store", "check")


def test_a_push_that_is_killed_begins_the_blob_anew_where_the_registry_has_forgotten_it(
    sealpy: Sealpy, other: Sealpy, killed: tuple[str, Way, Path]
) -> None:
    name, way, uploads = killed
    arrived_bytes(uploads)
    shutil.rmtree(uploads)
    way.up = 0
    told = sealpy("push", name)
    assert told["present"] + told["sent"] == 5
    assert way.up > BIG
    assert other("pull", name)["digest"] == told["digest"]


def test_ctrl_c_ends_a_pull_that_waits_for_a_registry(plain: Distribution, other: Sealpy, pushed: str) -> None:
    with cutting(plain.address) as way:
        command = [str(SEALPY), "pull", f"{way.address}/{pushed}:1"]
        way.pause = 1.0
        with subprocess.Popen(command, env=other.environment(), stderr=subprocess.PIPE, text=True) as process:
            wait_for_bytes(way, 70_000)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in stderr
        way.pause = 0.0
    assert other("store", "check")


def wait_for_bytes(way: Way, count: int, *, up: bool = False) -> None:
    until = time.monotonic() + 100
    while (way.up if up else way.down) < count:
        assert time.monotonic() < until, "nothing comes"
        time.sleep(0.001)


def fill(path: Path) -> None:
    """Take all the room that is left."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(1 << 16)):
            pass


def partial_bytes(sealpy: Sealpy) -> int:
    return sum(path.stat().st_size for path in (sealpy.store.root / "incoming").glob("*"))


@pytest.fixture
def small_disk(other: Sealpy) -> Iterator[Path]:
    """Give a disk of 16 MB as the home of sealpy; needs root."""
    if os.geteuid() != 0:
        pytest.skip("to mount a small disk needs root")
    other.home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", other.home], check=True)
    yield other.home
    subprocess.run(["umount", other.home], check=True)


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    plain: Distribution, other: Sealpy, pushed: str, small_disk: Path
) -> None:
    done = other.run("pull", f"{plain.address}/{pushed}:1")
    error = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, error["code"]) == (1, "image.store.full")
    assert str(small_disk) in error["message"]
    assert "are free" in error["message"]
    assert partial_bytes(other) == 0


def test_a_disk_that_fills_up_meanwhile_is_told_and_the_next_pull_goes_on(
    plain: Distribution, other: Sealpy, pushed: str, small_disk: Path
) -> None:
    name = f"{plain.address}/{pushed}:1"
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    with cutting(plain.address) as way:
        command = [str(SEALPY), "--output", "json", "pull", f"{way.address}/{pushed}:1"]
        env = other.environment()
        way.pause = 0.002
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
            wait_for_bytes(way, 1_000_000)
            fill(small_disk / "somebody-elses")
            stdout, _ = process.communicate(timeout=100)
        error = json.loads(stdout.splitlines()[-1])
        assert (process.returncode, error["code"]) == (1, "image.store.full")
        assert "no space left on device" in error["message"]
        here = partial_bytes(other)
        (small_disk / "somebody-elses").unlink()
        way.down = 0
        other("pull", f"{way.address}/{pushed}:1")
        assert way.down < BIG - here + MOST_OVERHEAD
    assert other("pull", name)
    assert other("store", "check")
