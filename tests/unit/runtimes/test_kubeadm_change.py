"""What of the settings of a living cluster may change, what has to be done for it, and why the rest may not."""

from __future__ import annotations

from typing import Any

import pytest

from sealpy.errors import ConfigError
from sealpy.runtimes import ClusterPlan
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.runtimes.kubeadm_change import Change
from sealpy.sdk import Put, Run, Step, Wait
from sealpy.testing.builders import walk

MASTERS = ("10.0.0.1", "10.0.0.2")


def kubeadm(masters: tuple[str, ...] = MASTERS, **overrides: Any) -> Kubeadm:
    plan = ClusterPlan(
        name="shop",
        rootfs="/r",
        leader=masters[0],
        masters=masters,
        registry_url="sea.hub:5000",
        env={},
        documents={"ClusterConfiguration": {"networking": {"podSubnet": "100.64.0.0/16"}}},
        overrides=overrides,
    )
    return Kubeadm(plan)


def test_other_hosts_are_no_other_settings() -> None:
    assert kubeadm(("10.0.0.1",)).compare(kubeadm(("10.0.0.2", "10.0.0.3")).settings()) == Change()
    assert kubeadm().compare("") == Change(), "a cluster that was saved before settings were"


@pytest.mark.parametrize(
    ("overrides", "change"),
    [
        (
            {"ClusterConfiguration": {"apiServer": {"extraArgs": [{"name": "v", "value": "4"}]}}},
            Change(paths=("ClusterConfiguration.apiServer.extraArgs",), control_plane=("apiserver",)),
        ),
        (
            {"ClusterConfiguration": {"apiServer": {"certSANs": ["k8s.example.com"]}, "scheduler": {"a": 1}}},
            Change(
                paths=("ClusterConfiguration.apiServer.certSANs", "ClusterConfiguration.scheduler.a"),
                control_plane=("certificates", "scheduler"),
            ),
        ),
        (
            {"KubeletConfiguration": {"maxPods": 50}, "KubeProxyConfiguration": {"mode": "nftables"}},
            Change(
                paths=("KubeletConfiguration.maxPods", "KubeProxyConfiguration.mode"),
                kubelet=True,
                proxy=True,
            ),
        ),
    ],
)
def test_what_can_change_says_which_parts_it_concerns(overrides: dict[str, Any], change: Change) -> None:
    before = (
        kubeadm(KubeletConfiguration={"maxPods": 110}, KubeProxyConfiguration={"mode": "iptables"}).settings()
        if change.kubelet
        else kubeadm().settings()
    )
    assert kubeadm(**overrides).compare(before) == change


def test_everything_that_cannot_change_is_told_at_once_with_its_reason() -> None:
    wanted = kubeadm(
        ClusterConfiguration={"networking": {"podSubnet": "10.1.0.0/16"}, "etcd": {"local": {"dataDir": "/x"}}},
        KubeletConfiguration={"cgroupDriver": "systemd"},
    )
    before = kubeadm(KubeletConfiguration={"cgroupDriver": "cgroupfs"}).settings()
    with pytest.raises(ConfigError, match="3 settings of a living cluster cannot be changed") as caught:
        wanted.compare(before)
    assert [problem.message for problem in caught.value.problems] == [
        "ClusterConfiguration.etcd.local.dataDir: the data lies where it lies",
        "ClusterConfiguration.networking.podSubnet: pods and services keep the addresses that they have",
        "KubeletConfiguration.cgroupDriver: pods that run are in the control groups of the other driver",
    ]


def titles(steps: list[Step]) -> list[str]:
    return [step.title for step in steps if isinstance(step, Run | Put | Wait)]


def test_a_control_plane_is_reconfigured_part_by_part_and_waited_for() -> None:
    change = Change(paths=("x",), control_plane=("certificates", "apiserver"))
    steps, _ = walk(kubeadm().reconfigure_control_plane("10.0.0.2", change))
    assert titles(steps) == [
        "write kubeadm configuration",
        "reconfigure certificates, apiserver",
        "kube-apiserver runs with it",
        "its API server is ready",
        "remove kubeadm configuration",
    ]
    configuration = steps[0]
    assert isinstance(configuration, Put)
    assert b"advertiseAddress: 10.0.0.2" in configuration.content
    assert b"bootstrapTokens" not in configuration.content


def test_settings_are_published_and_kube_proxy_begins_anew_only_when_it_is_concerned() -> None:
    quiet, _ = walk(kubeadm().publish("10.0.0.1", Change(paths=("x",))))
    assert "reconfigure kube-proxy" not in titles(quiet)
    proxy, _ = walk(kubeadm().publish("10.0.0.1", Change(paths=("x",), proxy=True)))
    assert titles(proxy)[1:3] == ["upload the settings of the cluster", "reconfigure kube-proxy"]


def test_a_kubelet_is_left_alone_unless_it_is_concerned() -> None:
    assert walk(kubeadm().reconfigure_node("10.0.0.1", Change(paths=("x",))))[0] == []
    assert titles(walk(kubeadm().reconfigure_node("10.0.0.1", Change(kubelet=True)))[0]) == ["reconfigure kubelet"]


def test_what_comes_with_another_kubernetes_is_left_to_its_upgrade() -> None:
    before = kubeadm(ClusterConfiguration={"kubernetesVersion": "v1.34.4", "dns": {"imageTag": "v1"}}).settings()
    bare: dict[str, Any] = {"networking": {}, "etcd": {}, "scheduler": {}}
    assert kubeadm(ClusterConfiguration=bare).compare(kubeadm().settings()) == Change(), "nothing is no setting"
    newer = {"kubernetesVersion": "v1.35.1", "dns": {"imageTag": "v2"}, "etcd": {"local": {"imageTag": "3"}}}
    assert kubeadm(ClusterConfiguration=newer).compare_renewed(before) == Change()
    with pytest.raises(ConfigError, match="3 settings"):
        kubeadm(ClusterConfiguration=newer).compare(before)
    more = kubeadm(ClusterConfiguration={**newer, "scheduler": {"extraArgs": [{"name": "v", "value": "4"}]}})
    assert more.compare_renewed(before).control_plane == ("scheduler",)
    with pytest.raises(ConfigError, match="1 setting"):
        kubeadm(ClusterConfiguration={**newer, "clusterName": "other"}).compare_renewed(before)
