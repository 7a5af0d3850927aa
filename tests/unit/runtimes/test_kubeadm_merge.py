"""The user's documents over the image's, whatever version each is written in."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import yaml

from sealpy.errors import ConfigError
from sealpy.runtimes import ClusterPlan, JoinTicket
from sealpy.runtimes.kubeadm_config import init_config, join_config
from sealpy.runtimes.kubeadm_merge import layered, version_of

IMAGE = """\
ClusterConfiguration:
  apiVersion: kubeadm.k8s.io/v1beta4
  kubernetesVersion: v1.34.4
  apiServer:
    extraArgs: [{name: v, value: "2"}, {name: audit-log-maxage, value: "7"}]
    extraVolumes: [{name: audit, hostPath: /a}, {name: time, hostPath: /b}]
    certSANs: [from.image]
  etcd: {local: {dataDir: /var/lib/etcd/data}}
JoinConfiguration: {apiVersion: kubeadm.k8s.io/v1beta4, nodeRegistration: {taints: [{key: a}]}}
"""


def documents(text: str) -> dict[str, Any]:
    found = yaml.safe_load(text)
    assert isinstance(found, dict)
    return found


def over_the_image(text: str) -> dict[str, Any]:
    return layered(documents(IMAGE), documents(text))


def test_arguments_of_an_older_version_are_put_among_those_of_the_image() -> None:
    found = over_the_image("""
        ClusterConfiguration:
          apiVersion: kubeadm.k8s.io/v1beta3
          apiServer: {extraArgs: {v: "4", profiling: "false"}}
    """)
    assert found["ClusterConfiguration"]["apiVersion"] == "kubeadm.k8s.io/v1beta4"
    assert found["ClusterConfiguration"]["apiServer"]["extraArgs"] == [
        {"name": "audit-log-maxage", "value": "7"},
        {"name": "v", "value": "4"},
        {"name": "profiling", "value": "false"},
    ]


def test_an_argument_that_stands_twice_stays_twice() -> None:
    arguments = [{"name": "service-account-issuer", "value": name} for name in ("a", "b")]
    found = layered({}, {"ClusterConfiguration": {"apiServer": {"extraArgs": arguments}}})
    assert found["ClusterConfiguration"]["apiServer"]["extraArgs"] == arguments


def test_volumes_are_put_among_those_of_the_image_and_names_are_added() -> None:
    found = over_the_image("""
        ClusterConfiguration:
          apiServer: {extraVolumes: [{name: time, hostPath: /c}, {name: new, hostPath: /d}], certSANs: [mine]}
    """)
    server = found["ClusterConfiguration"]["apiServer"]
    assert [(volume["name"], volume["hostPath"]) for volume in server["extraVolumes"]] == [
        ("audit", "/a"),
        ("time", "/c"),
        ("new", "/d"),
    ]
    assert server["certSANs"] == ["from.image", "mine"]


def test_any_other_list_is_the_users_own() -> None:
    found = over_the_image("JoinConfiguration: {nodeRegistration: {taints: []}}")
    assert found["JoinConfiguration"]["nodeRegistration"]["taints"] == []


def test_time_limits_are_brought_to_where_they_are_now() -> None:
    found = over_the_image("""
        ClusterConfiguration:
          apiVersion: kubeadm.k8s.io/v1beta2
          apiServer: {timeoutForControlPlane: 6m0s}
          dns: {type: CoreDNS, imageTag: v1}
          useHyperKubeImage: false
        JoinConfiguration: {apiVersion: kubeadm.k8s.io/v1beta2, discovery: {timeout: 5m0s}}
    """)
    limit = {"controlPlaneComponentHealthCheck": "6m0s"}
    assert found["InitConfiguration"]["timeouts"] == limit
    assert found["JoinConfiguration"]["timeouts"] == {"discovery": "5m0s", **limit}
    assert found["JoinConfiguration"]["discovery"] == {}
    assert "timeoutForControlPlane" not in found["ClusterConfiguration"]["apiServer"]
    assert found["ClusterConfiguration"]["dns"] == {"imageTag": "v1"}
    assert "useHyperKubeImage" not in found["ClusterConfiguration"]


def test_documents_of_an_older_image_stay_as_they_are() -> None:
    image = documents("ClusterConfiguration: {apiVersion: kubeadm.k8s.io/v1beta3, scheduler: {extraArgs: {v: '1'}}}")
    found = layered(image, {"ClusterConfiguration": {"scheduler": {"extraArgs": {"v": "2"}}}})
    assert found["ClusterConfiguration"]["scheduler"] == {"extraArgs": {"v": "2"}}
    assert found["ClusterConfiguration"]["apiVersion"] == "kubeadm.k8s.io/v1beta3"


def test_an_external_etcd_takes_the_place_of_the_local_one() -> None:
    found = over_the_image("ClusterConfiguration: {etcd: {external: {endpoints: ['https://10.0.0.9:2379']}}}")
    assert found["ClusterConfiguration"]["etcd"] == {"external": {"endpoints": ["https://10.0.0.9:2379"]}}


def test_neither_layer_is_changed() -> None:
    below, above = documents(IMAGE), documents("ClusterConfiguration: {apiServer: {certSANs: [mine]}}")
    layered(below, above)
    assert (below, above) == (documents(IMAGE), documents("ClusterConfiguration: {apiServer: {certSANs: [mine]}}"))


@pytest.mark.parametrize(
    ("image", "user", "version"),
    [
        ("", "", "v1beta4"),
        ("kubeadm.k8s.io/v1beta3", "", "v1beta3"),
        ("kubeadm.k8s.io/v1beta3", "kubeadm.k8s.io/v1beta4", "v1beta4"),
        ("kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta2", "v1beta4"),
    ],
)
def test_the_newest_version_that_is_written_counts(image: str, user: str, version: str) -> None:
    layers = [{"InitConfiguration": {"apiVersion": found} if found else {}} for found in (image, user)]
    assert version_of(*layers) == version


def test_a_version_that_kubeadm_does_not_know_yet_is_refused() -> None:
    image = documents("ClusterConfiguration: {apiVersion: kubeadm.k8s.io/v1beta3, kubernetesVersion: v1.30.1}")
    with pytest.raises(ConfigError, match=r"v1beta4 is not known to the kubeadm of Kubernetes 1\.30") as caught:
        layered(image, documents("InitConfiguration: {apiVersion: kubeadm.k8s.io/v1beta4}"))
    assert "etc/kubeadm.yml" in caught.value.hint


def test_another_kubernetes_than_that_of_the_image_is_refused() -> None:
    assert over_the_image("ClusterConfiguration: {kubernetesVersion: 1.34.4}")
    with pytest.raises(ConfigError, match=r"kubernetesVersion is 'v1\.19\.8', but the image holds 'v1\.34\.4'"):
        over_the_image("ClusterConfiguration: {kubernetesVersion: v1.19.8}")


PLAN = ClusterPlan(
    name="shop",
    rootfs="/r",
    leader="10.0.0.1",
    masters=("10.0.0.1", "10.0.0.2"),
    registry_url="sea.hub:5000",
    env={},
    documents=documents(IMAGE),
)
TICKET = JoinTicket(token="abcdef.0123456789abcdef", authority="a certificate", certificate_key="11")


def test_what_is_said_of_control_planes_makes_none_of_a_worker() -> None:
    plan = dataclasses.replace(PLAN, overrides={"JoinConfiguration": {"controlPlane": {"localAPIEndpoint": {}}}})
    assert "controlPlane" not in yaml.safe_load(join_config(plan, "10.0.0.3", ticket=TICKET))
    assert "controlPlane" in yaml.safe_load(join_config(plan, "10.0.0.2", ticket=TICKET))


def test_the_socket_is_that_of_the_image() -> None:
    registration = {"nodeRegistration": {"criSocket": "/var/run/dockershim.sock"}}
    plan = dataclasses.replace(PLAN, overrides={"JoinConfiguration": registration})
    made = yaml.safe_load(join_config(plan, "10.0.0.3", ticket=TICKET))
    assert made["nodeRegistration"]["criSocket"] == "unix:///run/containerd/containerd.sock"


@pytest.mark.parametrize(("given", "name"), [({}, "shop"), ({"clusterName": "mine"}, "mine")])
def test_the_name_that_the_user_gives_the_cluster_is_kept(given: dict[str, str], name: str) -> None:
    plan = dataclasses.replace(PLAN, overrides={"ClusterConfiguration": given})
    found = {document["kind"]: document for document in yaml.safe_load_all(init_config(plan, ticket=TICKET))}
    assert found["ClusterConfiguration"]["clusterName"] == name


def test_documents_of_kubelet_and_kube_proxy_have_their_own_groups() -> None:
    plan = dataclasses.replace(PLAN, overrides={"KubeletConfiguration": {"maxPods": 200}})
    found = {document["kind"]: document for document in yaml.safe_load_all(init_config(plan, ticket=TICKET))}
    assert found["KubeletConfiguration"] == {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "maxPods": 200,
        "kind": "KubeletConfiguration",
    }
    assert "KubeProxyConfiguration" not in found
