"""Measure the memory of everything that moves an image of 10 GB in one layer: build, save, load, push, pull.

Run alone: python tests/bench/large.py [gigabytes]. It needs three times as much room below /var/tmp, and takes minutes,
so `make bench` leaves it out unless it is asked: make bench LARGE=10
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT))

from tests.bench.carrying import MEMORY, Row, sealpy  # noqa: E402
from tests.registry.servers import serving  # noqa: E402

__all__ = ["large"]

FILES = 20
GIGA = 1_000_000_000
START = 1_000_000  # bytes of each file that are not zero


def large(*, gigabytes: int = 10) -> Iterator[Row]:
    """Yield a row for each thing that is done with an image of so many GB."""
    what = f"of {gigabytes} GB in one layer"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        site = Path(directory)
        if (free := shutil.disk_usage(site).free) < 3.1 * gigabytes * GIGA:
            sys.exit(f"{site}: {free // GIGA} GB are free, and three times {gigabytes} GB are needed")
        context = _context(site / "context", gigabytes)
        yield f"build {what}", *_measured(site, "here", "build", "-t", "large:1", context)
        shutil.rmtree(context)
        yield f"save {what}", *_measured(site, "here", "save", "large:1", "-o", site / "large.tar")
        yield f"load {what}", *_measured(site, "there", "load", "-i", site / "large.tar")
        (site / "large.tar").unlink()
        yield f"store check {what}", *_measured(site, "there", "store", "check")
        shutil.rmtree(site / "there")
        with serving("plain", site / "registry") as registry:
            name = f"{registry.address}/bench/large:1"
            yield f"push {what}", *_measured(site, "here", "push", "large:1", name)
            shutil.rmtree(site / "here")
            yield f"pull {what}", *_measured(site, "there", "pull", name)


def _context(directory: Path, gigabytes: int) -> Path:
    """Make a directory to build from; its files take no room, but what is made of them does."""
    (directory / "rootfs").mkdir(parents=True)
    for number in range(FILES):
        with (directory / "rootfs" / str(number)).open("wb") as file:
            file.write(b"\x7fELF" + os.urandom(START))  # a program, so that it is looked into for the bill of materials
            file.truncate(gigabytes * GIGA // FILES)
    (directory / "Kubefile").write_text("FROM scratch\nCOPY rootfs /\n")
    return directory


def _measured(site: Path, home: str, *words: object) -> tuple[float, None, float, str]:
    seconds, memory = sealpy(site, home, *words)
    return seconds, None, memory, MEMORY


def main() -> None:
    """Print the rows; an argument is the size of the image in GB."""
    for what, seconds, _, memory, budget in large(gigabytes=int(sys.argv[1]) if len(sys.argv) > 1 else 10):
        sys.stdout.write(f"{what:<40} {seconds:7.1f} s  {memory:4.0f} MB (budget {budget})\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
