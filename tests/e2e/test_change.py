"""One cluster that grows, loses a machine and shrinks again, by editing its file alone.

The tests stand in the order of the cluster's life and each begins where the one before it ended. Runs are killed on the
way, at moments when they are in the middle of something, and the next one has to go on.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Done, Machine, Sealpy, booted
from tests.faults import Fault

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

LAB = "change"
CLUSTER = "change"
SETTINGS = """\
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
maxPods: 50
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
apiServer: {extraArgs: [{name: event-ttl, value: 2h0m0s}]}
"""
FINISHED = "finished; then nothing to change"
NOTHING = f"cluster '{CLUSTER}': nothing to change"


@pytest.fixture(scope="module")
def five(sealpy: Sealpy) -> Iterator[tuple[Machine, ...]]:
    with booted(sealpy, LAB, nodes=5) as found:
        yield found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("change") / "Clusterfile"


class Life:
    """The cluster under test: its file, and what is asked of it past sealpy."""

    def __init__(self, sealpy: Sealpy, file: Path, five: Sequence[Machine]) -> None:
        self.sealpy = sealpy
        self.file = file
        self.five = five

    def edit(self, masters: int, nodes: Sequence[int], *, more: str = "", documents: str = "") -> None:
        """Write the file: the first machines are control planes, `nodes` are workers by their number."""
        m = ", ".join(machine.address for machine in self.five[:masters])
        n = ", ".join(self.five[number].address for number in nodes)
        self.file.write_text(
            f"kind: Cluster\nmetadata: {{name: {CLUSTER}}}\nspec:\n  image: demo:1\n"
            f"  ssh: {{pk: {self.five[0].private_key}}}\n  hosts:\n    - {{ips: [{m}], roles: [master]}}\n"
            f"    - {{ips: [{n}], roles: [node]{more}}}\n{documents}"
        )

    def apply(self) -> Done:
        return self.sealpy("apply", "-f", str(self.file))

    def is_settled(self) -> bool:
        """Tell whether apply and plan find nothing more to do."""
        plan = self.sealpy("plan", "-f", str(self.file))
        again = self.apply()
        assert [event["plan"] for event in plan.events if "plan" in event] == [[]]
        assert (again.finished["changed"], again.finished["sent"]) == (0, 0)
        return again.text == NOTHING

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Give the nodes that are ready, by name."""
        found = json.loads(self.sealpy.on(self.five[0].name, "kubectl get nodes -o json"))["items"]
        return {
            node["metadata"]["name"]: node
            for node in found
            if any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
        }

    def members(self) -> int:
        certificates = "--cacert $p/ca.crt --cert $p/healthcheck-client.crt --key $p/healthcheck-client.key"
        pod = f"etcd-{self.five[0].name}"
        command = f"p=/etc/kubernetes/pki/etcd; kubectl -n kube-system exec {pod} -- etcdctl {certificates} member list"
        return len(self.sealpy.on(self.five[0].name, command).splitlines())

    def kill_when(self, title: str, *words: str) -> None:
        """Apply, or do what the words say, and kill -9 it as soon as a step of this title has begun."""
        self.sealpy.kill_when(title, *(words or ("apply",)), "-f", str(self.file))

    def is_clean(self, number: int) -> bool:
        name = self.five[number].name
        assert self.sealpy.on(name, "ls -A /var/lib/sealpy") == ""
        assert self.sealpy.on(name, "iptables-save | grep -c -E 'KUBE|FLANNEL|CNI'; true") == "0"
        return self.sealpy.on(name, "command -v kubelet kubeadm containerd; true") == ""


@pytest.fixture(scope="module")
def life(sealpy: Sealpy, file: Path, five: tuple[Machine, ...], images: str) -> Life:
    assert images
    return Life(sealpy, file, five)


def test_a_create_that_is_killed_twice_is_finished_by_the_third_run(life: Life, fault: Fault) -> None:
    life.edit(1, [3])
    life.kill_when("send ")
    life.kill_when("init control plane")
    seconds = life.apply().seconds
    assert set(life.nodes()) == {life.five[0].name, life.five[3].name}
    assert life.is_settled()
    fault("kill -9 while files are sent, again while kubeadm init runs", "apply", seen=FINISHED, second=seconds)


def test_two_control_planes_join_though_the_run_is_killed_between_them(life: Life, fault: Fault) -> None:
    life.edit(3, [3])
    life.kill_when("join control plane")
    seconds = life.apply().seconds
    assert len(life.nodes()) == 4
    assert life.members() == 3
    assert life.is_settled()
    fault("kill -9 while the first of two control planes joins", "apply", seen=FINISHED, second=seconds)


def test_a_worker_joins_and_labels_and_taints_follow_the_file(life: Life) -> None:
    life.edit(3, [3, 4], more=", labels: {zone: east}, taints: ['batch=yes:PreferNoSchedule']")
    life.apply()
    worker = life.nodes()[life.five[4].name]
    assert worker["metadata"]["labels"]["zone"] == "east"
    assert {"key": "batch", "value": "yes", "effect": "PreferNoSchedule"} in worker["spec"]["taints"]
    assert life.is_settled()
    life.edit(3, [3, 4], more=", labels: {zone: west}")
    life.apply()
    worker = life.nodes()[life.five[4].name]
    assert worker["metadata"]["labels"]["zone"] == "west"
    assert "batch" not in json.dumps(worker["spec"].get("taints", []))
    assert life.is_settled()


def test_a_second_run_at_once_is_refused_and_told_who(life: Life, tmp_path: Path, fault: Fault) -> None:
    """Another operator, on another machine: with a home of their own, so that only the lock on the leader counts."""
    other = Sealpy(tmp_path / "other")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "images").symlink_to(life.sealpy.home / "images")
    holder = subprocess.Popen(
        [life.sealpy.program, "--output", "json", "apply", "-f", str(life.file)],
        env=life.sealpy.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    for line in holder.stdout:
        if json.loads(line).get("event") == "phase.finished":  # that of connecting
            break
    holder.send_signal(signal.SIGSTOP)
    try:
        done = other("apply", "-f", str(life.file), check=False)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    (error,) = done.of("error")
    assert done.code == 3
    assert f"another run is busy with cluster '{CLUSTER}': root@" in str(error["hosts"])
    begun = time.monotonic()
    assert life.is_settled(), "the lock of a run that was killed holds nobody up"
    seconds = time.monotonic() - begun
    fault("a second run at once, from another machine", "apply", seen="exit 3, told who is busy")
    fault("kill -9 of a run that holds the lock", "plan, apply", seen="nothing to change", second=seconds)


def test_a_dead_worker_is_forgotten_and_what_is_left_on_it_told(life: Life, fault: Fault) -> None:
    life.edit(3, [3])
    life.sealpy("lab", "down", "--name", LAB, life.five[4].name)
    done = life.apply()
    assert any("on which everything stays" in event["message"] for event in done.of("warning"))
    assert len(life.nodes()) == 4
    assert life.is_settled()
    told = "forgotten by the cluster; told what is left on it"
    fault("a worker is off, and the file names it no more", "apply", seen=told, second=done.seconds)


def test_two_control_planes_leave_though_the_run_is_killed_on_the_way(life: Life, fault: Fault) -> None:
    life.edit(1, [3])
    life.kill_when("reset Kubernetes")
    seconds = life.apply().seconds
    assert set(life.nodes()) == {life.five[0].name, life.five[3].name}
    assert life.members() == 1
    assert life.is_clean(1)
    assert life.is_clean(2)
    assert life.is_settled()
    fault("kill -9 while the first of two control planes is reset", "apply", seen=FINISHED, second=seconds)


def test_settings_of_kubernetes_reach_the_living_cluster(life: Life) -> None:
    life.edit(1, [3], documents=SETTINGS)
    life.apply()
    assert {node["status"]["capacity"]["pods"] for node in life.nodes().values()} == {"50"}
    running = life.sealpy.on(life.five[0].name, "tr '\\0' ' ' < /proc/$(pidof kube-apiserver)/cmdline")
    assert "--event-ttl=2h0m0s" in running
    assert life.is_settled()


def test_a_delete_that_is_killed_is_finished_by_the_next_one(life: Life, fault: Fault) -> None:
    life.kill_when("uninstall containerd", "delete", "--all", "--force")
    done = life.sealpy("delete", "--all", "-f", str(life.file), "--force")
    assert "removed; nothing of it was found on 2 hosts" in done.text
    assert life.is_clean(0)
    assert life.is_clean(3)
    fault("kill -9 while containerd is uninstalled", "delete --all", seen="nothing left", second=done.seconds)
