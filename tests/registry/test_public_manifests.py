"""Manifests, charts and kustomizations that projects publish: what is found in each equals a list made by hand.

They travel in the Go modules of their projects, which the Go client gets, checks and keeps; nothing of them is in this
checkout. The lists are in tests/golden/images/public, made by reading the files; what would only be told as a doubt is
compared too, and differs, since no list has one.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sealpy.image.finding import Found, find
from sealpy.image.finding.programs import HELM, KUSTOMIZE
from sealpy.image.metadata import Launch, Metadata
from sealpy.image.reference import Reference
from sealpy.image.tarball import Member, Source
from tests.registry.servers import go_tool

LISTS = Path(__file__).parents[1] / "golden" / "images" / "public"

CILIUM = "github.com/cilium/cilium@v1.20.2"
FLANNEL = "github.com/flannel-io/flannel@v0.28.4"
GATEKEEPER = "github.com/open-policy-agent/gatekeeper/v3@v3.23.1"
KUBERNETES = "k8s.io/kubernetes@v1.34.4"
LOCAL_PATH = "github.com/rancher/local-path-provisioner@v0.0.30"
METRICS_SERVER = "sigs.k8s.io/metrics-server@v0.9.0"
PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
# Go's sum of everything in a module, as it stands in a go.sum.
SUMS = {
    CILIUM: "h1:dqiEGIcXc+gqCLYG/l7VCFJ8GHyb4HUrwbZOpkX5dL8=",
    FLANNEL: "h1:6O4wGCrCTl0Gf5BBpxfOJgOstkxZhEx3ZXzcKRopH8Q=",
    GATEKEEPER: "h1:njHTm0SJ6ZEhhEgmQTpJKTGQbc99fSs4hGiEp1OIKck=",
    KUBERNETES: "h1:Yy6R4QB8C9kJPp25GFqEvX5XQwY5qzKeqD0Xx6oAcmk=",
    LOCAL_PATH: "h1:OkiuofkCSscddl7tma/B9Ox1wu+JEVSrP7IcZI65Ggo=",
    METRICS_SERVER: "h1:nlqqZ2H0Xfko8eJC/1qaNVVT17hu4rxndkOi22KTZ4w=",
    PROMETHEUS_OPERATOR: "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
}
ADDONS = "cluster/addons"
# name of the list    module, file
MANIFESTS = {
    "cilium-connectivity-check": (CILIUM, "examples/kubernetes/connectivity-check/connectivity-check.yaml"),
    "cilium-monitoring": (CILIUM, "examples/kubernetes/addons/prometheus/monitoring-example.yaml"),
    "flannel": (FLANNEL, "Documentation/kube-flannel.yml"),
    "gatekeeper": (GATEKEEPER, "deploy/gatekeeper.yaml"),
    "kubernetes-calico-node": (KUBERNETES, f"{ADDONS}/calico-policy-controller/calico-node-daemonset.yaml"),
    "kubernetes-csi-hostpath": (
        KUBERNETES,
        "test/e2e/testing-manifests/storage-csi/hostpath/hostpath/csi-hostpath-plugin.yaml",
    ),
    "kubernetes-event-exporter": (KUBERNETES, f"{ADDONS}/fluentd-gcp/event-exporter.yaml"),
    "kubernetes-metrics-server": (KUBERNETES, f"{ADDONS}/metrics-server/metrics-server-deployment.yaml"),
    "kubernetes-nodelocaldns": (KUBERNETES, f"{ADDONS}/dns/nodelocaldns/nodelocaldns.yaml"),
    "local-path-provisioner": (LOCAL_PATH, "deploy/local-path-storage.yaml"),
    "prometheus-operator": (PROMETHEUS_OPERATOR, "bundle.yaml"),
}
# name of the list    module, directory, what the launch command adds
CHARTS = {
    "chart-cilium": (
        CILIUM,
        "install/kubernetes/cilium",
        "--set hubble.relay.enabled=true --set hubble.ui.enabled=true --set hubble.tls.auto.method=cronJob",
    ),
    "chart-flannel": (FLANNEL, "chart/kube-flannel", "--set netpol.enabled=true"),
    "chart-gatekeeper": (GATEKEEPER, "charts/gatekeeper", ""),
    "chart-local-path-provisioner": (LOCAL_PATH, "deploy/chart/local-path-provisioner", ""),
    "chart-metrics-server": (METRICS_SERVER, "charts/metrics-server", "--set addonResizer.enabled=true"),
}

# name of the list    module, directory that is copied, the one of it that is applied
KUSTOMIZATIONS = {"kustomization-metrics-server": (METRICS_SERVER, "manifests", "overlays/release-ha")}

pytestmark = [
    pytest.mark.timeout(900),  # the first time, tens of megabytes are fetched
    pytest.mark.skipif(not shutil.which("go"), reason="modules are got by Go, which is not here: https://go.dev/dl"),
]


@functools.cache
def module(name: str) -> Path:
    """Give the directory of a module: fetched once, verified, kept by Go."""
    env = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    done = subprocess.run(
        ["go", "mod", "download", "-json", name], cwd="/", env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["Sum"] == SUMS[name]
    return Path(said["Dir"])


def searched(sources: dict[str, Path], *, commands: Sequence[str] = ()) -> Found:
    files: dict[str, tuple[Member, Source]] = {
        at: (Member(at, size=path.stat().st_size), path) for at, path in sources.items()
    }
    return find(files, metadata=Metadata(launch=Launch(cmds=tuple(commands))), context=Path("/nowhere"))


def assert_as_by_hand(found: Found, name: str) -> None:
    lines = (LISTS / f"{name}.txt").read_text("utf-8").splitlines()
    doubts = {f"? {Reference.parse(doubt.text).familiar}" for doubt in found.doubts}
    assert sorted({reference.familiar for reference in found.mentions} | doubts) == sorted(lines)


@pytest.mark.parametrize("name", MANIFESTS)
def test_what_is_found_in_a_published_manifest_is_what_a_person_finds_in_it(name: str) -> None:
    published, path = MANIFESTS[name]
    assert_as_by_hand(searched({f"manifests/{name}.yaml": module(published) / path}), name)


@pytest.mark.parametrize("name", CHARTS)
def test_what_is_found_in_a_published_chart_is_what_a_person_finds_in_it(name: str, tmp_path: Path) -> None:
    published, directory, more = CHARTS[name]
    subprocess.run([go_tool(HELM.name), "package", module(published) / directory], cwd=tmp_path, check=True)
    [packed] = tmp_path.glob("*.tgz")  # without what .helmignore names: what a repository of charts would give
    (tmp_path / "charts").mkdir()
    subprocess.run(["tar", "-xf", packed, "-C", tmp_path / "charts"], check=True)
    packed.unlink()
    [chart] = (tmp_path / "charts").iterdir()
    sources = {p.relative_to(tmp_path).as_posix(): p for p in sorted(chart.rglob("*")) if p.is_file()}
    assert_as_by_hand(searched(sources, commands=[f"helm install release charts/{chart.name} {more}"]), name)


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_what_is_found_in_a_published_kustomization_is_what_a_person_finds_in_it(name: str) -> None:
    go_tool(KUSTOMIZE.name)
    published, directory, applied = KUSTOMIZATIONS[name]
    top = module(published) / directory
    sources = {f"manifests/{p.relative_to(top)}": p for p in sorted(top.rglob("*")) if p.is_file()}
    assert_as_by_hand(searched(sources, commands=[f"kubectl apply -k manifests/{applied}"]), name)


def test_every_list_made_by_hand_is_compared() -> None:
    assert {path.stem for path in LISTS.glob("*.txt")} == {*MANIFESTS, *CHARTS, *KUSTOMIZATIONS}
