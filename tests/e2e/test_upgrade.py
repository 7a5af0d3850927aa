"""One cluster that comes to a newer patch of Kubernetes, goes back, and comes to the next minor version.

The tests stand in the order of the cluster's life. Runs are killed in the middle of what kubeadm and the kubelet do.
The patch is made of the programs of the examples. The next minor version is a real one, which takes ten minutes to
build from published Go modules and five to come to: its tests run where `SEALPY_E2E_MINOR=1` asks for them.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Done, Machine, Sealpy, booted
from tests.e2e.releases import MINOR_VERSIONS, build, with_patch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

LAB = CLUSTER = "upgrade"
FIRST, PATCH, MINOR = "v1.34.4", "v1.34.5", "v1.35.4"
NOTHING = f"cluster '{CLUSTER}': nothing to change"
HOOKS = "".join(
    f"---\nkind: Plugin\nmetadata: {{name: {point}}}\nspec: {{type: SHELL, action: {point}, "
    f"data: 'echo {point} >> /var/fired'}}\n"
    for point in ("upgrade-host", "upgrade", "rollback")
)
READY = "condition=Ready --timeout=180s"


@pytest.fixture(scope="module")
def patch(sealpy: Sealpy, images: str) -> None:
    assert images
    with tempfile.TemporaryDirectory(dir=sealpy.home) as directory:  # half a gigabyte
        versions, cache = with_patch(Path(directory))
        assert build(sealpy, versions, cache=cache) == PATCH


@pytest.fixture(scope="module")
def minor(sealpy: Sealpy, images: str) -> None:
    assert images
    if os.environ.get("SEALPY_E2E_MINOR") != "1":
        pytest.skip(f"Kubernetes {MINOR} takes ten minutes to build and five to come to: SEALPY_E2E_MINOR=1 does it")
    assert build(sealpy, MINOR_VERSIONS) == MINOR


@pytest.fixture(scope="module")
def two(sealpy: Sealpy) -> Iterator[tuple[Machine, ...]]:
    with booted(sealpy, LAB, nodes=2) as found:
        yield found


class Life:
    """The cluster under test: its file, and what is asked of it past sealpy."""

    def __init__(self, sealpy: Sealpy, file: Path, two: Sequence[Machine]) -> None:
        self.sealpy = sealpy
        self.file = file
        self.master, self.worker = two

    def edit(self, release: str) -> None:
        self.file.write_text(
            f"kind: Cluster\nmetadata: {{name: {CLUSTER}}}\nspec:\n  image: kubernetes:{release}\n"
            f"  ssh: {{pk: {self.master.private_key}}}\n  hosts:\n"
            f"    - {{ips: [{self.master.address}], roles: [master]}}\n"
            f"    - {{ips: [{self.worker.address}], roles: [node]}}\n{HOOKS}"
        )

    def apply(self, *, check: bool = True) -> Done:
        return self.sealpy("apply", "-f", str(self.file), check=check)

    def kubectl(self, words: str) -> str:
        return self.sealpy.on(self.master.name, f"kubectl {words}")

    def versions(self) -> set[str]:
        """Give the versions of the API server, of every kubelet that is ready, and of kube-proxy."""
        nodes = json.loads(self.kubectl("get nodes -o json"))["items"]
        assert len(nodes) == 2
        found = {json.loads(self.kubectl("version -o json"))["serverVersion"]["gitVersion"]}
        for node in nodes:
            assert any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])
            assert not node["spec"].get("unschedulable")
            found.add(node["status"]["nodeInfo"]["kubeletVersion"])
        proxy = self.kubectl("-n kube-system get daemonset kube-proxy -o jsonpath='{..image}'")
        return {*found, proxy.rpartition(":")[2]}

    def serves(self) -> bool:
        """Tell whether every pod comes to run, and the one that was there from the beginning has never ended."""
        self.kubectl(f"wait pods --all -A --for={READY}")
        return self.kubectl("get pod by-hand -o jsonpath='{.status.containerStatuses[0].restartCount}'") == "0"

    def is_settled(self) -> bool:
        """Tell whether apply and plan find nothing more to do."""
        plan = self.sealpy("plan", "-f", str(self.file))
        again = self.apply()
        assert [event["plan"] for event in plan.events if "plan" in event] == [[]]
        assert (again.finished["changed"], again.finished["sent"]) == (0, 0)
        return again.text == NOTHING

    def fired(self, machine: Machine) -> list[str]:
        """Give the hooks that have fired on a machine since this was last asked."""
        return self.sealpy.on(machine.name, "cat /var/fired; rm -f /var/fired").split()

    def kill_when(self, title: str) -> None:
        self.sealpy.kill_when(title, "apply", "-f", str(self.file), timeout=600)


@pytest.fixture(scope="module")
def life(sealpy: Sealpy, tmp_path_factory: pytest.TempPathFactory, two: tuple[Machine, ...], images: str) -> Life:
    assert images
    made = Life(sealpy, tmp_path_factory.mktemp("upgrade") / "Clusterfile", two)
    made.edit(FIRST)
    made.apply()
    made.kubectl("create deployment web --image=docker.io/library/web:1 --replicas=2")
    place = f'{{"spec": {{"nodeName": "{made.worker.name}"}}}}'
    made.kubectl(f"run by-hand --image=docker.io/library/web:1 --overrides='{place}'")
    assert made.serves()
    return made


@pytest.mark.usefixtures("patch")
def test_a_plan_tells_the_upgrade_step_by_step_and_changes_nothing(life: Life) -> None:
    life.edit(PATCH)
    plan = life.sealpy("plan", "-f", str(life.file))
    [steps] = [[step["title"] for step in event["plan"]] for event in plan.events if "plan" in event]
    wanted = ["take a snapshot of etcd", f"kubeadm upgrade apply {PATCH}", "kubeadm upgrade node", "start the kubelet"]
    assert [step for step in wanted if step not in steps] == []
    assert life.versions() == {FIRST}


def test_a_newer_patch_comes_though_the_run_is_killed_in_the_middle_of_kubeadm(life: Life) -> None:
    life.kill_when(f"kubeadm upgrade apply {PATCH}")
    life.apply()
    assert life.versions() == {PATCH}
    assert life.serves()
    assert life.fired(life.master) == ["upgrade-host", "upgrade"]
    assert life.fired(life.worker) == ["upgrade-host"]
    assert len(list((life.sealpy.home / "clusters" / CLUSTER / "backups").glob("etcd-*.db"))) == 2
    assert life.is_settled()


def test_apply_does_not_go_back_but_rollback_does(life: Life) -> None:
    life.edit(FIRST)
    refused = life.apply(check=False)
    assert refused.code == 2
    assert "apply does not go back" in refused.of("error")[0]["message"]
    life.sealpy("rollback", f"kubernetes:{FIRST}", "-f", str(life.file))
    assert life.versions() == {FIRST}
    assert life.serves()
    assert (life.fired(life.master), life.fired(life.worker)) == (["rollback"], [])
    assert life.is_settled()


@pytest.mark.usefixtures("minor")
def test_the_next_minor_version_comes_though_the_run_is_killed_while_a_kubelet_is_down(life: Life) -> None:
    life.edit(MINOR)
    life.kill_when("install kubelet and kubeadm")
    life.apply()
    assert life.versions() == {MINOR}
    assert life.serves()
    assert life.is_settled()


@pytest.mark.usefixtures("minor")
def test_no_way_leads_back_over_a_minor_version(life: Life) -> None:
    refused = life.sealpy("rollback", f"kubernetes:{FIRST}", "-f", str(life.file), check=False)
    assert refused.code == 2
    assert f"Kubernetes {MINOR} cannot go back to {FIRST}" in refused.of("error")[0]["message"]


def test_a_cluster_that_was_upgraded_goes_without_a_trace(life: Life) -> None:
    life.sealpy("delete", "-a", "-f", str(life.file), "--force")
    for machine in (life.master, life.worker):
        assert life.sealpy.on(machine.name, "command -v kubelet kubeadm containerd; ls -A /var/lib/sealpy") == ""
