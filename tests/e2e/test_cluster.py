"""One cluster, from machines that know nothing to a Service that answers, and back to nothing.

The tests stand in the order of a cluster's life and each begins where the one before it ended.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CHECKOUT, Done, Machine, Sealpy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

Machines = tuple[Machine, ...]

CLUSTERFILE = """\
apiVersion: sealer.io/v2
kind: Cluster
metadata: {{name: shop}}
spec:
  image: demo:1
  ssh: {{pk: {key}}}
  hosts:
    - ips: [{master}]
      roles: [master]
    - ips: [{worker}]
      roles: [node]
      labels: {{zone: east}}
      taints: ["batch=yes:PreferNoSchedule"]
---
apiVersion: sealer.io/v1
kind: Plugin
metadata: {{name: host-names}}
spec:
  type: HOSTNAME
  action: PreInit
  data: |
    {master} shop-master
    {worker} shop-worker
---
apiVersion: sealer.io/v1
kind: Plugin
metadata: {{name: fast-disk}}
spec:
  type: LABEL
  action: PreGuest
  data: |
    {worker} disk=fast
"""
SHELL = """\
---
apiVersion: sealer.io/v1
kind: Plugin
metadata: {{name: seen-at-{name}}}
spec:
  type: SHELL
  action: {point}
  data: |
    echo "{point} $HostIP $(test -e /etc/kubernetes/kubelet.conf && echo node || echo host)" >> /var/log/seen
"""
CREATE = [
    "Originally",
    "pre-install",
    "PreInit",
    "pre-init-host",
    "PreInstall",
    "post-init-host",
    "post-install",
    "PreGuest",
    "PostInstall",
]
DELETE = ["pre-uninstall", "PreClean", "pre-clean-host", "PostClean", "post-clean-host", "post-uninstall"]
BOTH_ANSWERED = "grep -q shop-master /tmp/answers && grep -q shop-worker /tmp/answers"
LEADER_ONLY = {"pre-install", "post-install", "pre-uninstall", "post-uninstall"}


@pytest.fixture(scope="module")
def clusterfile(machines: Machines, images: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert images
    master, worker, _ = machines
    text = CLUSTERFILE.format(key=master.private_key, master=master.address, worker=worker.address)
    text += "".join(SHELL.format(name=point.lower(), point=point) for point in (*CREATE, *DELETE))
    path = tmp_path_factory.mktemp("shop") / "Clusterfile"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def created(sealpy: Sealpy, clusterfile: Path) -> Done:
    return sealpy("apply", "-f", str(clusterfile))


def test_a_plan_lists_what_would_be_done_and_touches_nothing(
    sealpy: Sealpy, clusterfile: Path, machines: Machines
) -> None:
    done = sealpy("plan", "-f", str(clusterfile))
    (planned,) = [event["plan"] for event in done.events if "plan" in event]
    titles = {(step["host"], step["title"]) for step in planned}
    assert (machines[0].address, "init control plane") in titles
    assert (machines[1].address, "join worker") in titles
    assert done.finished["changed"] == 0
    for machine in machines:
        assert (
            sealpy.on(machine.name, "ls -A /var/lib/sealpy /etc/kubernetes 2>/dev/null", check=False)
            == "/var/lib/sealpy:"
        )


def test_every_node_is_ready_when_the_run_says_so(sealpy: Sealpy, created: Done, machines: Machines) -> None:
    assert created.finished["ok"]
    nodes = kubectl(sealpy, machines, "get nodes -o json")
    ready = {
        node["metadata"]["name"]: condition["status"]
        for node in nodes["items"]
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    }
    assert ready == {"shop-master": "True", "shop-worker": "True"}
    worker = nodes["items"][1]
    assert (
        worker["metadata"]["labels"].items()
        >= {"zone": "east", "disk": "fast", "node-role.kubernetes.io/worker": ""}.items()
    )
    assert {"key": "batch", "value": "yes", "effect": "PreferNoSchedule"} in worker["spec"]["taints"]


def test_no_pod_had_to_be_started_twice_because_its_node_was_called_ready_too_early(
    sealpy: Sealpy, created: Done, machines: Machines
) -> None:
    assert created.code == 0
    events = kubectl(sealpy, machines, "get events --all-namespaces -o json")["items"]
    assert [event["message"] for event in events if event["reason"] == "FailedCreatePodSandBox"] == []
    pods = kubectl(sealpy, machines, "-n kube-flannel get pods -o json")["items"]
    assert [status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]] == [0, 0]


def test_the_system_runs_and_dns_answers_when_the_run_says_so(
    sealpy: Sealpy, created: Done, machines: Machines
) -> None:
    assert created.code == 0
    pods = kubectl(sealpy, machines, "-n kube-system get pods -o json")["items"]
    phases = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in pods}
    assert set(phases.values()) == {"Running"}, phases
    assert {name.split("-")[0] for name in phases} >= {"kube", "coredns", "etcd"}


def test_a_pod_reaches_a_pod_on_another_machine_through_a_service_by_its_name(
    sealpy: Sealpy, created: Done, machines: Machines
) -> None:
    assert created.code == 0
    sealpy.on(machines[0].name, "kubectl rollout status deployment/web --timeout=90s")
    pods = kubectl(sealpy, machines, "get pods -l app=web -o json")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"shop-master", "shop-worker"}
    for pod in pods:
        call = f"kubectl exec {pod['metadata']['name']} -- /web get http://web.default.svc.cluster.local/"
        # kube-proxy chooses by chance and learns of a pod a moment after it is ready: ask until both have answered
        both = f"for n in $(seq 60); do {call} >> /tmp/answers; {BOTH_ANSWERED} && exit 0; sleep 0.2; done"
        sealpy.on(machines[0].name, f"rm -f /tmp/answers; {both}; cat /tmp/answers; exit 1")


def test_no_machine_has_a_way_out(sealpy: Sealpy, created: Done, machines: Machines) -> None:
    assert created.code == 0
    for machine in machines:
        told = sealpy.on(machine.name, "ping -c 1 -W 1 198.51.100.1 >/dev/null 2>&1; echo $?")
        assert told != "0"


def test_every_plugin_ran_at_its_hook_point_on_its_hosts(sealpy: Sealpy, created: Done, machines: Machines) -> None:
    assert {event["hook"] for event in created.of("plugin.finished")} == set(CREATE)
    assert [event["error"] for event in created.of("plugin.finished") if event["error"]] == []
    for machine, points in (
        (machines[0], CREATE),
        (machines[1], [point for point in CREATE if point not in LEADER_ONLY]),
    ):
        seen = [line.split() for line in sealpy.on(machine.name, "cat /var/log/seen").splitlines()]
        assert [point for point, _, _ in seen] == points
        assert {address for _, address, _ in seen} == {machine.address}
        was_host = [point for point, _, what in seen if what == "host"]
        assert was_host == [point for point in points if point in CREATE[:5]]


def test_the_plugin_of_the_image_printed_the_nodes(created: Done) -> None:
    lines = [event["line"] for event in created.of("plugin.output") if event["plugin"] == "list_nodes.py"]
    assert lines == ["node/shop-master", "node/shop-worker"]


def test_the_context_is_in_the_kubeconfig_and_the_clusterfile_in_the_cluster_without_secrets(
    sealpy: Sealpy, created: Done, machines: Machines
) -> None:
    assert created.code == 0
    assert "name: shop" in (sealpy.home / "kubeconfig").read_text()
    saved = kubectl(sealpy, machines, "-n kube-system get configmap sealpy-clusterfile -o json")["data"]
    assert "host-names" in saved["Clusterfile"]
    assert saved["image"].endswith("demo:1")


def test_a_second_apply_changes_nothing_and_is_quick(sealpy: Sealpy, created: Done, clusterfile: Path) -> None:
    assert created.code == 0
    again = sealpy("apply", "-f", str(clusterfile))
    assert again.text == "cluster 'shop': nothing to change"
    assert (again.finished["changed"], again.finished["sent"]) == (0, 0)
    assert [event for event in again.of("step.finished") if event["changed"]] == []
    asked = [event["host"] for event in again.of("step.finished") if event["kind"] in {"ask", "fetch"}]
    assert max(asked.count(host) for host in set(asked)) <= 3
    plan = sealpy("plan", "-f", str(clusterfile))
    assert [event["plan"] for event in plan.events if "plan" in event] == [[]]


def test_a_third_machine_joins_by_editing_the_file(sealpy: Sealpy, clusterfile: Path, machines: Machines) -> None:
    text = clusterfile.read_text()
    wider = clusterfile.with_name("Clusterfile.wider")
    head = f"    - ips: [{machines[0].address}]\n"
    assert head in text
    wider.write_text(text.replace(head, f"    - ips: [{machines[0].address}, {machines[2].address}]\n"))
    done = sealpy("apply", "-f", str(wider))
    nodes = kubectl(sealpy, machines, "get nodes -o json")["items"]
    assert {node["metadata"]["name"] for node in nodes} == {"shop-master", "shop-worker", machines[2].name}
    control_planes = [n for n in nodes if "node-role.kubernetes.io/control-plane" in n["metadata"]["labels"]]
    assert len(control_planes) == 2
    changes = [event for event in done.of("step.finished") if event["changed"]]
    on_the_worker = {event["phase"] for event in changes if event["host"] == machines[1].address}
    assert on_the_worker <= {"trust_registry"}, "the registry has one more host to be asked; nothing else concerns it"
    assert sealpy("apply", "-f", str(wider)).text == "cluster 'shop': nothing to change"


def test_delete_leaves_nothing_and_plugins_fire_on_the_way(
    sealpy: Sealpy, clusterfile: Path, machines: Machines
) -> None:
    wider = clusterfile.with_name("Clusterfile.wider")
    done = sealpy("delete", "--all", "-f", str(wider), "--force")
    assert {event["hook"] for event in done.of("plugin.finished")} == set(DELETE)
    assert "removed; nothing of it was found on 3 hosts" in done.text
    for machine in machines:
        assert sealpy.on(machine.name, "ls -A /var/lib/sealpy") == ""
        assert sealpy.on(machine.name, "ip -o link | grep -c -E 'cni|flannel|veth[0-9a-f]{8}'; true") == "0"
        assert sealpy.on(machine.name, "iptables-save | grep -c -E 'KUBE|FLANNEL|CNI'; true") == "0"
        assert sealpy.on(machine.name, "command -v kubelet kubeadm containerd; true") == ""
        sealpy.on(machine.name, f"hostname {machine.name} && hostname > /etc/hostname")  # HOSTNAME had changed it
    kubeconfig = sealpy.home / "kubeconfig"
    assert not kubeconfig.exists() or "shop" not in kubeconfig.read_text()


def test_delete_of_what_is_gone_finds_nothing_to_complain_about(sealpy: Sealpy, clusterfile: Path) -> None:
    assert sealpy("delete", "--all", "-f", str(clusterfile), "--force").code == 0


def test_the_seeds_command_works_on_the_same_machines_with_a_password(sealpy: Sealpy, machines: Machines) -> None:
    """`build -m lite` of the plugin alone, then `run IMAGE -m IP -p PASS`."""
    example = CHECKOUT / "examples" / "plugins" / "list_nodes"
    sealpy("build", "-m", "lite", "-t", "kubernetes-post-install:v1.34.4", str(example))
    password = Path(machines[0].private_key).with_name("password").read_text().strip()
    done = sealpy("run", "kubernetes-post-install:v1.34.4", "-m", machines[0].address, "-p", password)
    assert [event["line"] for event in done.of("plugin.output")] == [f"node/{machines[0].name}"]
    kept = sealpy.home / "clusters" / "my-cluster"
    for path in kept.rglob("*"):
        assert not path.is_file() or password not in path.read_text(errors="replace"), path
    assert password not in json.dumps(done.events) + done.stderr
    saved = kubectl(sealpy, machines, "-n kube-system get configmap sealpy-clusterfile -o json")
    assert password not in json.dumps(saved)
    sealpy("delete", "--all", "--force", "--passwd", "-", stdin=password + "\n")
    assert sealpy.on(machines[0].name, "ls -A /var/lib/sealpy") == ""


def kubectl(sealpy: Sealpy, machines: Machines, words: str) -> Any:
    return json.loads(sealpy.on(machines[0].name, f"kubectl {words}"))
