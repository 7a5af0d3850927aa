"""The templates of the rootfs, rendered as a run renders them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.kubernetes.preparation.assembly import with_versions
from sealpy.gotemplate import render
from sealpy.runtimes.kubeadm_config import documents_by_kind

ROOTFS = Path(__file__).parents[3] / "examples/kubernetes/rootfs"
VERSIONS = dict.fromkeys(("kubernetes", "coredns", "etcd", "pause", "flannel"), "1.2.3")
CHOSEN = {
    "RegistryURL": "registry.example:443",
    "PodCIDR": "10.1.0.0/16",
    "SvcCIDR": "10.2.0.0/16",
    "DNSDomain": "site.example",
    "CgroupDriver": "systemd",
}


def rendered(path: str, env: Mapping[str, str]) -> str:
    return render(with_versions(ROOTFS / path, VERSIONS).decode(), env, name=path)


def kubeadm(env: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return documents_by_kind(rendered("etc/kubeadm.yml.tmpl", env), name="kubeadm.yml")


def test_an_empty_environment_has_defaults_for_everything() -> None:
    documents = kubeadm({})
    cluster = documents["ClusterConfiguration"]
    assert cluster["kubernetesVersion"] == "v1.2.3"
    assert cluster["imageRepository"] == "sea.hub:5000"
    assert cluster["dns"] == {"imageRepository": "sea.hub:5000/coredns", "imageTag": "v1.2.3"}
    assert cluster["networking"]["podSubnet"] == "100.64.0.0/16"
    assert documents["KubeletConfiguration"]["cgroupDriver"] == "cgroupfs"


def test_the_environment_chooses() -> None:
    documents = kubeadm(CHOSEN)
    cluster = documents["ClusterConfiguration"]
    assert cluster["imageRepository"] == "registry.example:443"
    assert cluster["networking"] == {
        "dnsDomain": "site.example",
        "podSubnet": "10.1.0.0/16",
        "serviceSubnet": "10.2.0.0/16",
    }
    assert documents["KubeletConfiguration"]["cgroupDriver"] == "systemd"


@pytest.mark.parametrize(
    ("env", "driver"), [({}, "cgroupfs"), ({"CgroupDriver": "cgroupfs"}, "cgroupfs"), (CHOSEN, "systemd")]
)
def test_container_engine_and_kubelet_agree_on_the_driver(env: Mapping[str, str], driver: str) -> None:
    config = tomllib.loads(rendered("etc/containerd.toml.tmpl", env))
    options = config["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]["runc"]["options"]
    assert options["SystemdCgroup"] == (driver == "systemd")
    assert kubeadm(env)["KubeletConfiguration"]["cgroupDriver"] == driver


@pytest.mark.parametrize("env", [{}, CHOSEN], ids=["defaults", "chosen"])
def test_flannel_and_kubeadm_agree_on_the_network_of_pods(env: Mapping[str, str]) -> None:
    documents = list(yaml.safe_load_all(rendered("applications/flannel.yaml.tmpl", env)))
    (config,) = (document for document in documents if document["kind"] == "ConfigMap")
    network = yaml.safe_load(config["data"]["net-conf.json"])["Network"]
    assert network == kubeadm(env)["ClusterConfiguration"]["networking"]["podSubnet"]


def test_the_manifest_of_flannel_is_yaml_before_it_is_rendered_so_that_its_image_is_found() -> None:
    documents = list(yaml.safe_load_all(with_versions(ROOTFS / "applications/flannel.yaml.tmpl", VERSIONS)))
    pod = documents[-1]["spec"]["template"]["spec"]
    images = {container["image"] for container in (*pod["initContainers"], *pod["containers"])}
    assert images == {"docker.io/flannel/flannel:v1.2.3"}
