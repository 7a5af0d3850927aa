"""What a shell script needs to make the same cluster by hand: everything that sealpy computes, laid out as files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sealpy.actions.session import Surroundings
from sealpy.actions.setup import prepare
from sealpy.clusterfile import loads
from sealpy.context import Context
from sealpy.engine import Connections
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.payload import TreePayload
from sealpy.registry import Authority, start, trust
from sealpy.runtimes import JoinTicket
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.runtimes.kubeadm_config import init_config
from sealpy.sdk import Put, Steps
from sealpy.testing.builders import walk

__all__ = ["by_hand_trees"]

_CLUSTERFILE = """\
kind: Cluster
apiVersion: sealer.io/v2
metadata: {{name: by-hand}}
spec:
  image: {image}
  hosts:
    - {{ips: [{master}], roles: [master]}}
    - {{ips: [{worker}], roles: [node]}}
"""


def by_hand_trees(directory: Path, image: ClusterImage, master: str, worker: str) -> None:
    """Fill `directory` with `master/` and `worker/`, each to be unpacked over the root of its machine."""
    ctx = _context(image, master, worker)
    authority = Authority.create("by-hand")
    for name, address in (("master", master), ("worker", worker)):
        root = directory / name
        rootfs = root / ctx.rootfs.lstrip("/")
        rootfs.mkdir(parents=True)
        _unpack(TreePayload(file.item for file in ctx.tree(address).files.values()), rootfs)
        _write(root, trust(ctx.registry, address, authority.certificate))
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc" / "hosts.add").write_text(f"{master} sea.hub\n{master} apiserver.cluster.local\n")
    _write(directory / "master", start(ctx.registry, master, authority))
    assert isinstance(ctx.runtime, Kubeadm)
    ticket = JoinTicket(token="abcdef.0123456789abcdef", authority="", certificate_key="0" * 64)
    (directory / "master" / "root").mkdir()
    (directory / "master" / "root" / "kubeadm.yaml").write_text(init_config(ctx.runtime.plan, ticket=ticket))


def _context(image: ClusterImage, master: str, worker: str) -> Context:
    text = _CLUSTERFILE.format(image=image.reference.familiar, master=master, worker=worker)
    surroundings = Surroundings(home=Path("/nonexistent"), emit=lambda _: None, secret=lambda _: None)
    preparation = prepare(loads(text, name="by hand"), image, surroundings)
    return preparation.make_context(Connections(preparation.connect), lambda _: None)


def _write(root: Path, steps: Steps) -> None:
    for step in walk(steps)[0]:
        if isinstance(step, Put):
            path = root / step.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(step.content)
            path.chmod(step.mode)


def _unpack(payload: TreePayload, directory: Path) -> None:
    with subprocess.Popen(["tar", "-C", directory, "-xpf", "-"], stdin=subprocess.PIPE) as tar:
        assert tar.stdin
        for piece in payload.chunks():
            tar.stdin.write(piece)
        tar.stdin.close()
    assert tar.returncode == 0
