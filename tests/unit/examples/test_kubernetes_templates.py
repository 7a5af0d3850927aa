"""The templates of the rootfs, rendered as a run renders them."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.kubernetes.preparation.assembly import with_versions
from sealpy.gotemplate import render
from sealpy.runtimes import ClusterPlan
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


def flannel() -> dict[str, Any]:
    """Give the container of flannel's DaemonSet, as it stands before the manifest is rendered."""
    documents = list(yaml.safe_load_all(with_versions(ROOTFS / "applications/flannel.yaml.tmpl", VERSIONS)))
    (container,) = documents[-1]["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def test_the_manifest_of_flannel_is_yaml_before_it_is_rendered_so_that_its_image_is_found() -> None:
    assert flannel()["image"] == "docker.io/flannel/flannel:v1.2.3"


def test_flannel_asks_the_api_server_by_its_name_as_kube_proxy_does() -> None:
    """The address of the service leads nowhere before kube-proxy has begun; a connection to it hangs for 30 seconds."""
    env = {variable["name"]: variable.get("value") for variable in flannel()["env"]}
    plan = ClusterPlan(name="shop", rootfs="/", leader="10.0.0.1", masters=(), registry_url="", env={})
    assert (env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]) == (plan.endpoint, str(plan.port))


def test_a_node_becomes_ready_for_pods_when_flannel_knows_its_addresses_and_not_before(tmp_path: Path) -> None:
    """By the configuration the container engine says that the network is there; without the addresses no pod starts."""
    (shell, option, script) = flannel()["lifecycle"]["postStart"]["exec"]["command"]
    configuration, addresses = tmp_path / "10-flannel.conflist", tmp_path / "subnet.env"
    script = script.replace("/etc/cni/net.d", str(tmp_path)).replace("/run/flannel", str(tmp_path))
    with subprocess.Popen([shell, option, script], env={**os.environ, "CONFIGURATION": "{}"}) as hook:
        with pytest.raises(subprocess.TimeoutExpired):
            hook.wait(0.2)
        assert not configuration.exists()
        addresses.write_text("FLANNEL_SUBNET=10.1.0.1/24\n")
        assert hook.wait(10) == 0
    assert configuration.read_text() == "{}"
