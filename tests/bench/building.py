"""Measure building: a large directory, the same again, one changed file over it.

Run alone: python tests/bench/building.py [megabytes]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Row", "builds"]

Row = tuple[str, list[float], list[float] | None, str]
"""What is measured, our seconds, those of others, the budget."""
PROGRAM = Path(sys.executable).with_name("sealpy")
FILES = 200
MEGA = 1_000_000


def builds(*, megabytes: int = 1000, runs: int = 3) -> Iterator[Row]:
    """Yield the rows of builds over a base of so many MB, which cannot be compressed."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        site = Path(directory)
        rootfs = site / "context" / "rootfs"
        for number in range(FILES):
            path = rootfs / f"d{number % 10}" / str(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(megabytes * MEGA // FILES))
        first = _build(site, "base:1", "FROM scratch\nCOPY rootfs /\n")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        yield f"build of {megabytes} MB, new", [first], None, "none"
        again = [_build(site, "base:1", "FROM scratch\nCOPY rootfs /\n") for _ in range(runs)]
        yield f"build of {megabytes} MB again, nothing changed", again, None, "none"
        changed = []
        for number in range(runs):
            (site / "context" / "changed").write_text(str(number))
            changed.append(_build(site, "app:1", "FROM base:1\nCOPY changed etc/\n"))
        yield f"build with one changed file over a base of {megabytes} MB", changed, None, "3 s"
        yield f"peak of memory of the first: {peak} MB", [0.0], None, "300 MB"


def _build(site: Path, tag: str, kubefile: str) -> float:
    (site / "context" / "Kubefile").write_text(kubefile)
    command = [str(PROGRAM), "--quiet", "build", "--pull", "never", "-t", tag, str(site / "context")]
    env = {**os.environ, "SEALPY_HOME": str(site / "home")}
    begun = time.perf_counter()
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Print the rows."""
    for what, ours, _, budget in builds(megabytes=int(sys.argv[1]) if len(sys.argv) > 1 else 1000):
        median = statistics.median(ours)
        sys.stdout.write(f"{what:<58} {median:8.2f} s  ({min(ours):.2f}-{max(ours):.2f})  budget {budget}\n")


if __name__ == "__main__":
    main()
