"""The script that takes Kubernetes off a host, run for real in a place where it finds nothing of this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from sealpy.runtimes import ClusterPlan
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.sdk import Run
from sealpy.testing.builders import walk

HARMLESS = "#!/bin/sh\nexit 0\n"
STAND_INS = ("kubeadm", "systemctl", "ip", "iptables-save", "ip6tables-save", "rm", "rmdir", "find", "cmp", "tail")


@pytest.fixture
def reset(tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """Give the command and an environment in which every program that changes something does nothing."""
    for name in STAND_INS:
        (tmp_path / name).write_text(HARMLESS)
        (tmp_path / name).chmod(0o755)
    plan = ClusterPlan(
        name="x", rootfs=str(tmp_path), leader="10.0.0.1", masters=("10.0.0.1",), registry_url="sea.hub:5000", env={}
    )
    (step,), _ = walk(Kubeadm(plan).reset("10.0.0.1"))
    assert isinstance(step, Run)
    (tmp_path / "scripts").mkdir()
    return list(step.argv), {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("echo chain in use >&2; exit 3", 3)])
def test_a_script_of_the_image_that_fails_is_told_at_the_end(
    reset: tuple[list[str], dict[str, str]], tmp_path: Path, script: str, status: int
) -> None:
    argv, env = reset
    (tmp_path / "scripts" / "clean-kube.sh").write_text(script)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert ("clean-kube.sh ended with exit status 3: chain in use" in done.stderr) == bool(status)


def test_an_image_without_the_script_is_reset_too(reset: tuple[list[str], dict[str, str]]) -> None:
    argv, env = reset
    assert subprocess.run(argv, env=env, check=False).returncode == 0


EXTERNAL = {"external": {"endpoints": ["https://10.0.9.1:2379"], "caFile": "/a", "certFile": "/b", "keyFile": "/c"}}


@pytest.mark.parametrize(("etcd", "asked"), [({}, 1), ({"local": {"dataDir": "/data/etcd"}}, 1), (EXTERNAL, 0)])
def test_a_control_plane_has_a_member_to_be_removed_only_where_etcd_runs_on_it(
    etcd: Mapping[str, object], asked: int
) -> None:
    plan = ClusterPlan(
        name="x",
        rootfs="/rootfs",
        leader="10.0.0.1",
        masters=("10.0.0.1",),
        registry_url="sea.hub:5000",
        env={},
        overrides={"ClusterConfiguration": {"etcd": etcd}},
    )
    steps, _ = walk(Kubeadm(plan).forget("10.0.0.2"))
    assert len(steps) == asked
