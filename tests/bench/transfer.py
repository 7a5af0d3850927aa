"""A rootfs and many small files to one machine, beside `tar | ssh` of the same bytes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sealpy.connectors import Connector
from sealpy.connectors.reach import Ways
from sealpy.connectors.target import Target
from sealpy.distributors import Stream, Tree, TreeFile, image_tree
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.payload import Item, TreePayload
from sealpy.image.tarball import Member
from sealpy.sdk import Send
from sealpy.testing.builders import good_facts

__all__ = ["compare"]

_AT = "/var/lib/sealpy/bench"
Row = tuple[str, list[float], list[float], str]


def compare(address: str, key: Path, known_hosts: Path, image: ClusterImage, *, runs: int) -> Iterator[Row]:
    """Give title, our seconds, the seconds of `tar | ssh` and the budget of each comparison."""
    target = Target(address=address, private_key=key)
    connector = Ways(known_hosts=known_hosts, emit=lambda _: None).to(target)
    try:
        for title, tree, budget in (
            ("rootfs with the registry's data to one machine", image_tree(image, registry=True), "ratio 1"),
            ("1,500 files of 10 kB", _small_files(), "1 s + bytes"),
        ):
            with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
                _unpack(tree, Path(directory))
                ours, theirs = [], []
                for _ in range(runs):
                    connector.run(["rm", "-rf", _AT])
                    begun = time.perf_counter()
                    _deliver(connector, tree)
                    ours.append(time.perf_counter() - begun)
                    connector.run(["rm", "-rf", _AT])
                    begun = time.perf_counter()
                    _tar_ssh(Path(directory), address, key)
                    theirs.append(time.perf_counter() - begun)
                size = sum(file.item.member.size for file in tree.files.values()) / 1e6
                yield f"{title}, {size:.0f} MB", ours, theirs, budget
    finally:
        connector.run(["rm", "-rf", _AT])
        connector.close()


def _deliver(connector: Connector, tree: Tree) -> None:
    (step,) = Stream(_AT).deliver(tree, good_facts())
    assert isinstance(step, Send)
    result = connector.stream(step.argv, step.payload.chunks())
    assert result.ok, result.reason


def _tar_ssh(directory: Path, address: str, key: Path) -> None:
    ssh = f"ssh -i {key} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR root@{address}"
    remote = f"mkdir -p {_AT} && tar -C {_AT} -xf -"
    subprocess.run(["sh", "-c", f"tar -C {directory} -cf - . | {ssh} '{remote}'"], check=True)


def _small_files() -> Tree:
    files: dict[str, TreeFile] = {}
    for number in range(1500):
        data = f"{number:06}".encode() * 1667
        member = Member(f"{number}", "file", 0o644, len(data))
        files[member.path] = TreeFile(Item(member, data), hashlib.sha256(data).hexdigest())
    return Tree(files)


def _unpack(tree: Tree, directory: Path) -> None:
    assert shutil.which("tar")
    with subprocess.Popen(["tar", "-C", directory, "-xpf", "-"], stdin=subprocess.PIPE) as tar:
        assert tar.stdin
        for piece in TreePayload(file.item for file in tree.files.values()).chunks():
            tar.stdin.write(piece)
        tar.stdin.close()
    assert tar.returncode == 0
