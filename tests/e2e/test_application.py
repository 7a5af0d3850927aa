"""An application without a Kubernetes of its own is carried to a living cluster that has no route out.

Its container image is the demo's with one more layer, under a domain that the cluster knows no image of: most of it is
in the registry already, and nothing but the registry can give it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Done, Machine, Sealpy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

BASE, CLUSTER, IMAGE = "kubernetes:v1.34.4", "apps", "quay.io/shop/page:1"
OWN = b"a layer of its own\n" * 100_000
KUBEFILE = """\
FROM scratch
KUBEVERSION "{constraint}"
ENV Replicas=2
COPY fired.yaml plugins/
APP page local://page.yaml.tmpl
LAUNCH ["page"]
"""
PAGE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: page}}
spec:
  replicas: {{{{ .Replicas }}}}
  selector: {{matchLabels: {{app: page}}}}
  template:
    metadata: {{labels: {{app: page, release: "{release}"}}}}
    spec:
      terminationGracePeriodSeconds: 1
      tolerations: [{{key: node-role.kubernetes.io/control-plane, operator: Exists}}]
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: DoNotSchedule
          labelSelector: {{matchLabels: {{app: page, release: "{release}"}}}}
      containers: [{{name: page, image: "quay.io/shop/page:1", ports: [{{containerPort: 8080}}]}}]
"""
FIRED = """\
kind: Plugin
metadata: {name: fired}
spec: {type: SHELL, action: PostInstall, data: 'ls application/apps/page && echo fired >> /root/fired'}
"""


def with_a_layer(archive: Path, layer: bytes) -> bytes:
    """Give the OCI archive of a container image with one more layer, under the name IMAGE."""
    with tarfile.open(archive) as found:
        blobs = {member.name: file.read() for member in found if (file := found.extractfile(member))}

    def blob(digest: str) -> bytes:
        return blobs[f"blobs/{digest.replace(':', '/')}"]

    def put(data: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    top = json.loads(blobs["index.json"])["manifests"][0]
    manifest = json.loads(blob(top["digest"]))
    config = json.loads(blob(manifest["config"]["digest"]))
    config["rootfs"]["diff_ids"].append(f"sha256:{hashlib.sha256(layer).hexdigest()}")
    config.pop("history", None)
    manifest["config"] |= put(json.dumps(config).encode())
    manifest["layers"].append({"mediaType": "application/vnd.oci.image.layer.v1.tar", **put(layer)})
    named = {"org.opencontainers.image.ref.name": IMAGE}
    top = {"mediaType": top["mediaType"], **put(json.dumps(manifest).encode()), "annotations": named}
    blobs["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    return tar_of(blobs)


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class Author:
    """Build versions of the application."""

    def __init__(self, sealpy: Sealpy, directory: Path) -> None:
        self.sealpy = sealpy
        self.directory = directory
        archives = directory / "container-images"
        archives.mkdir()
        web = sealpy.home / "context" / "container-images" / "web-1.tar"
        (archives / "page.tar").write_bytes(with_a_layer(web, tar_of({"own": OWN})))
        (directory / "fired.yaml").write_text(FIRED)

    def build(self, name: str, *, release: str, constraint: str = ">= 1.30") -> None:
        (self.directory / "page.yaml.tmpl").write_text(PAGE.format(release=release))
        (self.directory / "Kubefile").write_text(KUBEFILE.format(constraint=constraint))
        self.sealpy("build", "-t", name, str(self.directory))


@pytest.fixture(scope="module")
def author(sealpy: Sealpy, images: str, tmp_path_factory: pytest.TempPathFactory) -> Author:
    assert images
    return Author(sealpy, tmp_path_factory.mktemp("author"))


@pytest.fixture(scope="module")
def pair(sealpy: Sealpy, images: str, machines: tuple[Machine, ...]) -> Iterator[tuple[Machine, Machine]]:
    """Make a cluster of one control plane and one worker."""
    assert images
    first, second, _ = machines
    key = first.private_key
    sealpy("run", BASE, "--name", CLUSTER, "-m", first.address, "-n", second.address, "--pk", key)
    yield first, second
    sealpy("delete", "--all", "--force", "--cluster", CLUSTER, check=False)


def run(sealpy: Sealpy, *words: str, check: bool = True) -> Done:
    return sealpy("run", *words, "--cluster", CLUSTER, check=check)


def planned(sealpy: Sealpy, name: str) -> list[dict[str, Any]]:
    (plan,) = [line["plan"] for line in run(sealpy, name, "--dry-run").events if "plan" in line]
    return list(plan)


def running(sealpy: Sealpy, leader: Machine) -> dict[str, str]:
    """Give by node which release of the page runs there, when all of it does."""
    sealpy.on(leader.name, "kubectl rollout status deployment/page --timeout=120s")
    command = "kubectl get pods -l app=page --field-selector=status.phase=Running -o json"
    pods = json.loads(sealpy.on(leader.name, command))["items"]
    staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return {pod["spec"]["nodeName"]: pod["metadata"]["labels"]["release"] for pod in staying}


def fired(sealpy: Sealpy, machine: Machine) -> int:
    return len(sealpy.on(machine.name, "cat /root/fired", check=False).splitlines())


def test_one_for_another_kubernetes_is_refused_before_anything_is_changed(
    sealpy: Sealpy, author: Author, pair: tuple[Machine, Machine]
) -> None:
    author.build("page:0", release="0", constraint="< 1.30")
    done = run(sealpy, "page:0", check=False)
    assert done.code == 5
    assert "page:0: it is for Kubernetes < 1.30, and this is v1.34.4" in done.of("error")[0]["message"]
    assert done.finished["changed"] == 0
    assert sealpy.on(pair[0].name, "ls -A /var/lib/sealpy/data/apps/applications", check=False) == ""


def test_it_runs_on_the_cluster_its_plugin_fires_and_only_its_own_bytes_were_sent(
    sealpy: Sealpy, author: Author, pair: tuple[Machine, Machine]
) -> None:
    author.build("page:1", release="one")
    titles = [step["title"] for step in planned(sealpy, "page:1")]
    assert any("that the registry has" in title for title in titles), titles
    assert any(title == "launch page" for title in titles), titles
    assert fired(sealpy, pair[0]) == 0
    done = run(sealpy, "page:1")
    assert sorted(running(sealpy, pair[0]).values()) == ["one", "one"]
    assert [fired(sealpy, machine) for machine in pair] == [1, 1]
    (about,) = sealpy("inspect", "page:1").results
    assert len(OWN) < done.finished["sent"] < about["size"] / 2, "the layers of the demo were in the registry"
    saved = json.loads(sealpy.on(pair[0].name, "kubectl -n kube-system get configmap sealpy-applications -o json"))
    (entry,) = saved["data"].values()
    assert json.loads(entry)["apps"] == ["page"]


def test_the_second_time_nothing_is_sent_launched_or_fired(sealpy: Sealpy, pair: tuple[Machine, Machine]) -> None:
    done = run(sealpy, "page:1")
    assert done.text == "application 'page:1' on cluster 'apps': nothing to change"
    assert (done.finished["changed"], done.finished["sent"]) == (0, 0)
    assert [fired(sealpy, machine) for machine in pair] == [1, 1]
    assert planned(sealpy, "page:1") == []


def test_the_next_version_sends_what_is_new_in_it_and_the_cluster_is_left_alone(
    sealpy: Sealpy, author: Author, pair: tuple[Machine, Machine]
) -> None:
    author.build("page:2", release="two")
    done = run(sealpy, "page:2")
    assert set(running(sealpy, pair[0]).values()) == {"two"}
    assert done.finished["sent"] < len(OWN) / 2, "its container image was there"
    first, second = pair
    words = ("run", BASE, "--name", CLUSTER, "-m", first.address, "-n", second.address, "--pk", first.private_key)
    assert sealpy(*words).text == "cluster 'apps': nothing to change"


def test_nothing_of_it_is_left_behind_a_delete(sealpy: Sealpy, pair: tuple[Machine, Machine]) -> None:
    sealpy("delete", "--all", "--force", "--cluster", CLUSTER)
    for machine in pair:
        for directory in ("/var/lib/sealpy", "/etc/containerd/certs.d"):
            assert sealpy.on(machine.name, f"ls -A {directory}", check=False) == ""
