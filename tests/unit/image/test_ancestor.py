"""Images of the ancestor: loaded, looked into, built upon, and ready to be run."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from sealpy.actions.session import Surroundings
from sealpy.actions.setup import prepare
from sealpy.cli.app import run
from sealpy.clusterfile import loads
from sealpy.engine import Connections
from sealpy.events import Event
from sealpy.image.archive.load import load
from sealpy.image.building.build import build
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.held import held_images
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.store.check import check
from sealpy.testing.connector import FakeConnector
from tests.unit.image.ancestor import NAME, write_ancestor

HOSTS = """kind: Cluster
spec:
  image: {}
  hosts:
    - {{ips: [10.0.0.1], roles: [master]}}
    - {{ips: [10.0.0.2], roles: [node]}}
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


@pytest.fixture
def image(tmp_path: Path, store: Store) -> ClusterImage:
    [loaded] = load(store, write_ancestor(tmp_path / "old"))
    return loaded


def test_it_is_loaded_whole_with_all_it_says_of_itself(store: Store, image: ClusterImage) -> None:
    assert str(image.reference) == NAME
    assert check(store).faults == ()
    metadata = image.metadata
    assert [app.name for app in metadata.applications] == ["web", "tool"]
    assert [command.command for command in metadata.launch_commands()] == ["kubectl apply -f web.yaml", "bash a.sh"]
    assert metadata.env == {"PodCIDR": "100.64.0.0/10"}
    assert metadata.labels["cluster.alpha.sealer.io/container-runtime-type"] == "containerd"
    assert metadata.labels["cluster.alpha.sealer.io/cluster-runtime-version"] == "v1.22.15"
    assert held_images(image).keys() == {"docker.io/library/nginx:1.21", "docker.io/calico/node:v3.24.1"}


def test_its_files_are_those_after_all_layers_with_digests_of_their_own(image: ClusterImage) -> None:
    assert "etc/old.conf" not in image.files
    assert not any(".wh." in path for path in image.files)
    entry = image.files["bin/kubeadm"]
    assert (entry.mode, entry.sha256) == (0o644, hashlib.sha256(b"#!/bin/sh\n").hexdigest())
    assert image.read("application/apps/tool/a.sh") == b"echo $COLOR\n"


def test_of_several_architectures_all_are_taken(tmp_path: Path, store: Store) -> None:
    [loaded] = load(store, write_ancestor(tmp_path / "old", architectures=("amd64", "arm64")))
    assert loaded.config.architecture == "amd64"
    assert check(store).faults == ()
    assert len(store.blobs()) == 1 + 2 * 2 + 4 + 4, "a list; documents of both; layers that both have, packed and plain"


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_it_is_loaded_from_the_archives_that_the_ancestor_saves(form: str, tmp_path: Path, store: Store) -> None:
    source = f"oci:{write_ancestor(tmp_path / 'old')}:{NAME}"
    target = f"{form}:{tmp_path}/k.tar:{NAME.removeprefix('docker.io/')}"
    subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", source, target], check=True)
    [loaded] = load(store, tmp_path / "k.tar")
    assert str(loaded.reference) == NAME
    assert loaded.read("etc/kubeadm.yml.tmpl").startswith(b"apiVersion: kubeadm")
    assert bool(loaded.metadata.applications) is (form == "oci-archive"), "docker's form has no place for annotations"


def test_it_is_inspected_listed_and_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    assert run(["load", "-i", str(write_ancestor(tmp_path / "old"))]) == 0
    capsys.readouterr()
    name = "sealerio/kubernetes:v1.22.15"
    assert run(["inspect", name]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["type"], shown["architecture"]) == (name, "kube-installer", "amd64")
    assert shown["containerImages"] == ["docker.io/library/nginx:1.21", "docker.io/calico/node:v3.24.1"]
    assert run(["history", name]) == 0
    assert "COPY 0" in capsys.readouterr().out


def test_an_image_is_built_from_it_and_finds_the_container_images_it_holds(
    tmp_path: Path, store: Store, image: ClusterImage
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Kubefile").write_text(f"FROM {NAME}\nCOPY shop.yaml manifests/\nAPP shop local://shop.yaml\n")
    (context / "shop.yaml").write_text("kind: Pod\nspec: {containers: [{name: c, image: 'nginx:1.21'}]}\n")
    events: list[Event] = []
    wish = Wish(kubefile=context / "Kubefile", context=context, tag=Reference.parse("shop:1"))
    [built] = build(wish, store=store, emit=events.append).images
    assert built.manifest.layers[:4] == image.manifest.layers, "its layers are used as they are"
    assert "etc/old.conf" not in built.files
    assert held_images(built).keys() == held_images(image).keys()
    assert [app.name for app in built.metadata.applications] == ["web", "tool", "shop"]
    store.remove(NAME)
    store.prune()
    assert ClusterImage.open(store, "shop:1").read("bin/kubeadm") == b"#!/bin/sh\n"
    assert check(store).faults == ()


@pytest.mark.usefixtures("store")
def test_a_run_finds_its_files_its_registry_and_its_apps(image: ClusterImage) -> None:
    around = Surroundings(home=Path("/nonexistent"), emit=lambda _: None, secret=lambda _: None)
    prepared = prepare(loads(HOSTS.format(NAME), name="Clusterfile"), image, around)
    prepared.check()
    ctx = prepared.make_context(Connections(FakeConnector), around.emit)
    data = [path for path in image.files if path.startswith("registry/") and path.endswith("/data")]
    assert len(data) == 5, "a manifest and a layer of each, and a configuration that both have"
    leader, node = ctx.tree("10.0.0.1"), ctx.tree("10.0.0.2")
    assert set(data) <= set(leader.files)
    assert not [path for path in node.files if path.startswith("registry/")]
    assert ctx.registry.any_domain, "its registry has dropped the domains"
    assert "etc/kubeadm.yml" in leader.files, "rendered from the template"
    assert "scripts/init-registry.sh" in leader.files
