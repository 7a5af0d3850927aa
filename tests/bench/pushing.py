"""Push and pull of a large image to and from a registry on loopback, beside skopeo on the same image.

Run alone: python tests/bench/pushing.py [megabytes]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT))

# ruff: noqa: E402 - the checkout must be found first

from sealpy.image.assemble import assemble, write_layer
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk
from tests.registry.servers import serving

__all__ = ["compare"]

SEALPY = str(CHECKOUT / ".venv" / "bin" / "sealpy")
LAYERS = 4
Row = tuple[str, list[float], list[float], str]


def compare(*, megabytes: int = 1000, runs: int = 3) -> Iterator[Row]:
    """Give title, our seconds, skopeo's seconds and the budget of each comparison; then the peak of our memory."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        directory = Path(scratch)
        store = Store(directory / "home" / "images")
        _image(store, megabytes)
        pushes: tuple[list[float], list[float]] = ([], [])
        pulls: tuple[list[float], list[float]] = ([], [])
        again: list[float] = []
        peak = 0
        for run in range(runs):
            for ours, kind in enumerate(("skopeo", "sealpy") if run % 2 else ("sealpy", "skopeo")):
                place = directory / f"registry-{run}-{ours}"
                with serving("plain", place) as registry:
                    name = f"{registry.address}/bench:1"
                    seconds, memory = _timed(_push(kind, store, name), directory / "home")
                    pushes[kind == "skopeo"].append(seconds)
                    peak = max(peak, memory * (kind == "sealpy"))
                    if kind == "sealpy":
                        again.append(_timed(_push(kind, store, name), directory / "home")[0])
                    there = directory / "there"
                    seconds, memory = _timed(_pull(kind, there, name), there)
                    pulls[kind == "skopeo"].append(seconds)
                    peak = max(peak, memory * (kind == "sealpy"))
                    shutil.rmtree(there)
                shutil.rmtree(place)
        yield f"push {megabytes} MB to a registry on loopback", *pushes, "ratio 1"
        yield "the same again, 0 bytes", again, [], "1 s"
        yield f"pull {megabytes} MB from a registry on loopback", *pulls, "ratio 1"
        yield f"peak of memory while doing so: {peak} MB", [], [], "300 MB"


def _image(store: Store, megabytes: int) -> None:
    """Put an image of so many bytes into a store; they cannot be compressed."""
    layers = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        for number in range(LAYERS):
            file = Path(scratch) / str(number)
            with file.open("wb") as out:
                for _ in range(megabytes // LAYERS):
                    out.write(os.urandom(1_000_000))
            layers.append(write_layer(store, walk({f"file-{number}": file})))
            file.unlink()
    assemble(store, "bench:1", base=None, layers=layers, metadata=Metadata())


def _push(kind: str, store: Store, name: str) -> list[str]:
    if kind == "sealpy":
        return [SEALPY, "--quiet", "push", "bench:1", name]
    layout = f"oci:{store.root}:docker.io/library/bench:1"
    return ["skopeo", "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false", layout, f"docker://{name}"]


def _pull(kind: str, there: Path, name: str) -> list[str]:
    there.mkdir()
    if kind == "sealpy":
        return [SEALPY, "--quiet", "pull", name]
    words = ["--quiet", "--preserve-digests", "--src-tls-verify=false"]
    return ["skopeo", "copy", *words, f"docker://{name}", f"oci:{there}/layout:1"]


def _timed(command: Sequence[str], home: Path) -> tuple[float, int]:
    """Run a command that must succeed; gives seconds, and the most memory it took, in MB."""
    env = {**os.environ, "SEALPY_HOME": str(home)}
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}")
    return time.perf_counter() - begun, used.ru_maxrss // 1024


def _main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for title, ours, theirs, budget in compare(megabytes=megabytes):
        text = f"{title:<58}"
        if ours:
            text += f" {statistics.median(ours):8.2f} s  ({min(ours):.2f}-{max(ours):.2f})"
        if theirs:
            ratio = statistics.median(ours) / statistics.median(theirs)
            text += f"  beside {statistics.median(theirs):8.2f} s  ratio {ratio:.2f}"
        sys.stdout.write(f"{text}  budget {budget}\n")


if __name__ == "__main__":
    _main()
