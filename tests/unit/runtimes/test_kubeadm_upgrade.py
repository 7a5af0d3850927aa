"""Which commands bring a host to another Kubernetes, and what is done when the program is not what it should be."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sealpy.runtimes import ClusterPlan
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.runtimes.kubeadm_upgrade import renew_kubeconfig
from sealpy.sdk import Put, Run, Step, Wait
from sealpy.testing.builders import walk

LEADER, OTHER, WORKER = "10.0.0.1", "10.0.0.2", "10.0.0.3"


def kubeadm(rootfs: str = "/r", **cluster: Any) -> Kubeadm:
    documents = {"ClusterConfiguration": {"kubernetesVersion": "v1.34.5", **cluster}}
    plan = ClusterPlan(
        name="shop",
        rootfs=rootfs,
        leader=LEADER,
        masters=(LEADER, OTHER),
        registry_url="sea.hub:5000",
        env={},
        documents=documents,
    )
    return Kubeadm(plan)


def titles(steps: list[Step]) -> list[str]:
    return [step.title for step in steps if isinstance(step, Run | Put | Wait)]


def test_the_first_control_plane_lets_the_cluster_know_the_documents_and_applies_the_version() -> None:
    steps, _ = walk(kubeadm().upgrade_leader(LEADER))
    assert titles(steps) == [
        "write kubeadm configuration",
        "upload the settings of the cluster",
        "remove kubeadm configuration",
        "kubeadm upgrade apply v1.34.5",
        "give root the renewed kubeconfig",
        "its API server is ready",
    ]
    upload, upgrade = steps[1], steps[3]
    assert isinstance(upload, Run)
    assert upload.argv[0] == "/r/bin/kubeadm", "the one before may not know what stands in the documents"
    assert isinstance(upgrade, Run)
    assert upgrade.argv[4:] == (
        "/r/bin/kubeadm",
        "v1.34.5",
        "apply",
        "v1.34.5",
        "--yes",
        "--ignore-preflight-errors=SystemVerification",
    )


def test_the_others_follow_by_what_the_cluster_knows() -> None:
    assert titles(walk(kubeadm().upgrade_control_plane(OTHER))[0]) == [
        "kubeadm upgrade node",
        "give root the renewed kubeconfig",
        "its API server is ready",
    ]
    assert titles(walk(kubeadm().upgrade_worker(WORKER))[0]) == ["kubeadm upgrade node"]


def test_a_kubelet_changes_while_it_is_down() -> None:
    steps, _ = walk(kubeadm().renew_kubelet(WORKER))
    assert titles(steps) == ["stop the kubelet", "install kubelet and kubeadm", "start the kubelet"]


@pytest.mark.parametrize(("etcd", "asked"), [({}, ["etcd is healthy"]), ({"external": {"endpoints": ["x"]}}, [])])
def test_only_an_etcd_of_our_own_is_asked_for_its_health(etcd: dict[str, Any], asked: list[str]) -> None:
    runtime = kubeadm(etcd=etcd)
    assert titles(walk(runtime.health(LEADER))[0]) == asked
    assert runtime.keeps_etcd == bool(asked)


@pytest.mark.parametrize(("found", "status"), [("v1.34.5", 0), ("v1.34.4", 1)])
def test_a_kubeadm_of_another_version_than_the_documents_upgrades_nothing(
    tmp_path: Path, found: str, status: int
) -> None:
    program = tmp_path / "bin" / "kubeadm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase $1 in version) echo {found};; *) echo "$*";; esac\n')
    program.chmod(0o755)
    (step,), _ = walk(kubeadm(str(tmp_path)).upgrade_worker(WORKER))
    assert isinstance(step, Run)
    done = subprocess.run(step.argv, capture_output=True, text=True, check=False)
    assert done.returncode == status
    said = "upgrade node --ignore-preflight-errors=SystemVerification\n"
    assert done.stdout == ("" if status else said)
    assert ("kubeadm of the image is v1.34.4, but its documents say v1.34.5" in done.stderr) == bool(status)


@pytest.mark.parametrize(
    ("error", "fails", "calls", "status"),
    [("CreateJob", 2, 3, 0), ("CreateJob", 9, 3, 1), ("ControlPlaneNodesReady", 1, 1, 1), ("", 0, 1, 0)],
)
def test_a_cluster_that_is_too_busy_for_the_job_of_kubeadm_gets_two_more_chances(
    tmp_path: Path, error: str, fails: int, calls: int, status: int
) -> None:
    program, told = tmp_path / "bin" / "kubeadm", tmp_path / "told"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\n[ $1 != version ] || {{ echo v1.34.5; exit; }}\necho called >> {told}\n"
        f"[ $(wc -l < {told}) -gt {fails} ] || {{ echo '[ERROR {error}]: no' >&2; exit 1; }}\n"
    )
    program.chmod(0o755)
    (step,), _ = walk(kubeadm(str(tmp_path)).upgrade_worker(WORKER))
    assert isinstance(step, Run)
    done = subprocess.run(step.argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count(f"[ERROR {error}]")) == (status, min(fails, calls))
    assert len(told.read_text().splitlines()) == calls


@pytest.mark.parametrize(
    ("there", "left"),
    [("server: a\nclient-key-data: old\n", "new"), ("server: b\nclient-key-data: old\n", "old"), ("", "")],
)
def test_root_gets_the_new_certificate_of_this_cluster_alone(tmp_path: Path, there: str, left: str) -> None:
    admin, own = tmp_path / "admin.conf", tmp_path / "config"
    admin.write_text("server: a\nclient-key-data: new\n")
    if there:
        own.write_text(there)
    step = next(renew_kubeconfig())
    assert isinstance(step, Run)
    subprocess.run([*step.argv[:4], str(admin), str(own)], check=True)
    assert (left in own.read_text()) if there else not own.exists()
    assert not (tmp_path / "config.sealpy").exists()
