from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sealpy.inventory import Facts
from sealpy.phases.preflight import check_host, check_together, find_problems
from sealpy.testing.builders import a_context, a_host, good_facts

OF_A_MASTER: list[tuple[dict[str, Any], str]] = [
    ({"init": "init"}, "process 1 is 'init', not systemd"),
    ({"missing": ("tar",)}, "program 'tar' is missing"),
    ({"arch": "aarch64"}, "processor is aarch64, the image is for amd64"),
    ({"default_route": ""}, "no default route: the kubelet cannot choose an address"),
    ({"readonly": ("/sys/fs/cgroup/cpuset",)}, "control groups are read-only: /sys/fs/cgroup/cpuset"),
    ({"features": frozenset()}, "kernel has no overlay file system"),
    ({"cpus": 1}, "1 cpu, a control plane needs 2"),
    ({"memory_kib": 1 << 20}, "1024 MiB memory, a control plane needs 1700"),
    ({"ports": frozenset({6443})}, "port 6443 is in use"),
    (
        {"files": frozenset({"/etc/kubernetes/kubelet.conf"})},
        "/etc/kubernetes/kubelet.conf is there: an earlier cluster",
    ),
    ({"active": frozenset({"docker"})}, "docker is running already"),
    ({"free_kib": {"/var/lib": 1 << 20}}, "1024 MiB free on /var/lib, 2057 are needed"),
]


def messages(facts: Facts, *roles: str) -> list[str]:
    return [
        problem.message
        for problem in check_host(a_host("10.0.0.1", *roles), facts, platform="amd64", image_kib=9 << 10)
    ]


def test_a_good_machine_has_no_problem() -> None:
    assert messages(good_facts()) == []


@pytest.mark.parametrize(("change", "message"), OF_A_MASTER)
def test_a_master_that_cannot_be_one_is_told_why(change: dict[str, Any], message: str) -> None:
    assert messages(good_facts(**change)) == [message]


@pytest.mark.parametrize("change", [{"cpus": 1}, {"memory_kib": 1 << 20}, {"ports": frozenset({6443})}])
def test_a_worker_needs_less(change: dict[str, Any]) -> None:
    assert messages(good_facts(**change), "node") == []


def test_a_port_of_the_kubelet_matters_to_a_worker_too() -> None:
    assert messages(good_facts(ports=frozenset({10250})), "node") == ["port 10250 is in use"]


def test_what_an_earlier_run_of_ours_began_is_no_obstacle() -> None:
    begun: dict[str, Any] = {
        "files": frozenset({"/etc/kubernetes/pki/"}),
        "ports": frozenset({6443}),
        "active": frozenset({"containerd"}),
    }
    assert messages(good_facts(marks={"rootfs": "1", "container-engine": "2"}, **begun)) == []


def test_every_problem_has_a_way_out() -> None:
    changes: dict[str, Any] = {key: value for change, _ in OF_A_MASTER for key, value in change.items()}
    bad = good_facts(**changes)
    found = list(check_host(a_host("10.0.0.1"), bad, platform="amd64", image_kib=0))
    assert len(found) == len(OF_A_MASTER)
    assert all(problem.hint for problem in found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "host-a"}, "host name 'host-a' is another host's too"),
        ({"machine_id": "id of host-a"}, "machine-id 'id of host-a' is another host's too"),
        ({"macs": ("mac of host-a",)}, "MAC address 'mac of host-a' is another host's too"),
    ],
)
def test_what_must_differ_between_hosts_is_told_to_both(change: dict[str, Any], message: str) -> None:
    facts = {"10.0.0.1": good_facts("host-a"), "10.0.0.2": dataclasses.replace(good_facts("host-b"), **change)}
    found = check_together(facts)
    assert [problem.message for problem in found["10.0.0.1"]] == [message]
    assert [problem.message for problem in found["10.0.0.2"]] == [message]


def test_a_clock_that_is_off_is_told_to_its_host_alone() -> None:
    now = 1_800_000_000
    facts = {f"10.0.0.{n}": good_facts(f"h{n}", time=now + off) for n, off in enumerate((0, 2, -3600))}
    assert [problem.message for problem in check_together(facts)["10.0.0.2"]] == [
        "clock is -3600 s off from the others"
    ]
    assert list(check_together(facts)) == ["10.0.0.2"]


def test_a_node_of_another_cluster_of_the_same_name_is_refused() -> None:
    ctx = a_context()
    ctx.facts["10.0.0.1"] = good_facts("a", marks={"node": "init"}, kube_ca="one")
    ctx.facts["10.0.0.2"] = good_facts("b", marks={"node": "worker"}, kube_ca="two")
    found = find_problems(ctx)
    assert [problem.message for problem in found["10.0.0.2"]] == ["is a node of another cluster of this name"]
    assert list(found) == ["10.0.0.2"]
