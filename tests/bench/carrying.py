"""Measure carrying: save, parts, load and check of a large image, beside skopeo, and the memory that each takes.

Each row is `(what, seconds of ours, seconds of skopeo or None, megabytes of our process at most, budget)`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["MEMORY", "Row", "carrying", "sealpy"]

Row = tuple[str, float, float | None, float, str]
PROGRAM = Path(sys.executable).with_name("sealpy")
MEGA = 1 << 20
MEMORY = "300 MB"


def carrying(*, size: int = 2000, files: int = 20) -> Iterator[Row]:
    """Yield the rows for an image of `size` MB in one layer of `files` files that cannot be compressed."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        site = Path(directory)
        (site / "context" / "rootfs").mkdir(parents=True)
        for number in range(files):
            with (site / "context" / "rootfs" / str(number)).open("wb") as file:
                for _ in range(size // files):
                    file.write(os.urandom(MEGA))  # in pieces: the memory of our children begins as ours
        (site / "context" / "Kubefile").write_text("FROM scratch\nCOPY rootfs /\n")
        took, memory = sealpy(site, "here", "build", "-t", "big:1", site / "context")
        yield f"build of {size} MB", took, None, memory, MEMORY
        shutil.rmtree(site / "context")

        took, memory = sealpy(site, "here", "save", "big:1", "-o", site / "big.tar")
        layout = f"oci:{site}/here/images:docker.io/library/big:1"
        theirs = _run(["skopeo", "copy", "-q", "--insecure-policy", layout, f"oci-archive:{site}/skopeo.tar"])[0]
        (site / "skopeo.tar").unlink()
        yield f"save of {size} MB", took, theirs, memory, MEMORY

        (site / "parts").mkdir()
        took, memory = sealpy(site, "here", "save", "big:1", "-o", site / "parts" / "big.tar", "--part-size", "300M")
        yield f"save of {size} MB in parts", took, None, memory, MEMORY

        took, memory = sealpy(site, "there", "load", "-i", site / "big.tar")
        theirs = _run(
            ["skopeo", "copy", "-q", "--insecure-policy", f"oci-archive:{site}/big.tar", f"oci:{site}/skopeo:x"]
        )[0]
        shutil.rmtree(site / "skopeo")
        yield f"load of {size} MB", took, theirs, memory, MEMORY

        took, memory = sealpy(site, "there", "load", "-i", site / "big.tar")
        yield f"load of {size} MB that is here already", took, None, memory, MEMORY
        shutil.rmtree(site / "there")

        took, memory = sealpy(site, "there", "load", "-i", site / "parts" / "big.tar")
        yield f"load of {size} MB in parts", took, None, memory, MEMORY
        took, memory = sealpy(site, "there", "store", "check")
        yield f"store check of {size} MB", took, None, memory, MEMORY


def sealpy(site: Path, home: str, *words: object) -> tuple[float, float]:
    """Run sealpy with a home below `site`; gives its seconds and the megabytes it had at most."""
    return _run([PROGRAM, "--quiet", *words], home=site / home)


def _run(command: list[object], *, home: Path = Path()) -> tuple[float, float]:
    """Run a command; gives its seconds and the megabytes it had at most."""
    begun = time.perf_counter()
    environment = {**os.environ, "SEALPY_HOME": str(home)}
    with subprocess.Popen([str(word) for word in command], env=environment, stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command}: ended with {child.returncode}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main() -> None:
    """Print the rows; an argument is the size of the image in MB."""
    for what, ours, theirs, memory, budget in carrying(size=int(sys.argv[1]) if len(sys.argv) > 1 else 2000):
        beside = f"skopeo {theirs:6.2f} s  ratio {ours / theirs:.2f}" if theirs else ""
        sys.stdout.write(f"{what:<40} {ours:6.2f} s  {memory:4.0f} MB (budget {budget})  {beside}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
