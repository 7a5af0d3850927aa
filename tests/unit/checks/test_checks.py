"""Every check: a machine that passes it, one that fails it, and what is said."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sealpy.checks import CHECKS, Found, Needs, Stage, inspect, refuse_unknown
from sealpy.checks.disk import kept_kib
from sealpy.checks.model import HERE
from sealpy.errors import ConfigError
from sealpy.inventory import Disk, Facts, Inventory
from sealpy.testing.builders import a_host, good_facts

NEEDS = Needs(
    platform="amd64",
    image_kib=9 << 10,
    pods=("100.64.0.0/16",),
    services=("10.96.0.0/16",),
    registry_hosts=("10.0.0.1",),
    registry_port=5000,
    leader="10.0.0.1",
    kept_free={"nodefs.available": "10%", "imagefs.available": "15%"},
)

# what is other than on a good machine → the check, what it says
OF_A_MASTER: list[tuple[dict[str, Any], str, str]] = [
    ({"system": "FreeBSD"}, "system", "system is FreeBSD, not Linux"),
    ({"arch": "aarch64"}, "arch", "processor is aarch64, the image is for amd64"),
    ({"init": "init"}, "init", "process 1 is 'init', not systemd"),
    ({"missing": ("tar",)}, "programs", "program 'tar' is missing"),
    ({"cpus": 1}, "cpu", "1 cpu, a control plane needs 2"),
    ({"memory_kib": 1 << 20}, "memory", "1024 MiB memory, a control plane needs 1700"),
    ({"name": "localhost"}, "hostname", "host name is 'localhost'"),
    ({"name": "my_host"}, "hostname", "host name 'my_host' cannot be that of a node"),
    ({"machine_id": ""}, "machine-id", "there is no machine-id"),
    ({"active": frozenset()}, "time-sync", "nothing sets the clock"),
    ({"kernel": "3.10.0-1160.el7"}, "kernel-version", "kernel is 3.10.0-1160.el7, older than 4.19"),
    (
        {"readonly": ("/sys/fs/cgroup/cpuset",)},
        "cgroups-writable",
        "control groups are read-only: /sys/fs/cgroup/cpuset",
    ),
    ({"controllers": frozenset({"cpu", "pids"})}, "cgroups", "control groups are without memory"),
    ({"features": frozenset({"bridge", "kmsg"})}, "overlay", "kernel has no overlay file system"),
    (
        {"has_modules": True, "modules": frozenset({"overlay"})},
        "kernel-modules",
        "kernel lacks modules: nf_conntrack, vxlan",
    ),
    ({"swap_kib": 2 << 20}, "swap", "2048 MiB swap is on"),
    ({"features": frozenset({"overlay", "bridge"})}, "kmsg", "there is no /dev/kmsg"),
    ({"selinux": True}, "selinux", "SELinux enforces its rules"),
    ({"free_kib": {"/var/lib": 1 << 20}}, "disk-space", "1024 MiB free on /var/lib, 2057 are needed"),
    ({"free_kib": {"/var/lib": 0}}, "disk-space", "0 MiB free on /var/lib, 2057 are needed"),
    (
        {"nodefs": Disk(20 << 20, 100 << 20), "imagefs": Disk(13 << 20, 100 << 20)},
        "disk-pressure",
        (
            "13312 MiB free for /var/lib/containerd, 17417 are needed: "
            "the kubelet starts no pods below imagefs.available 15%"
        ),
    ),
    ({"free_inodes": 900}, "disk-inodes", "900 inodes free on /var/lib, 50000 are needed"),
    ({"unwritable": ("/etc",)}, "writable", "/etc cannot be written to"),
    ({"mounts": {"/": "rw", "/var": "rw,noexec"}}, "executable", "/var/lib/sealpy/data is mounted noexec"),
    ({"default_route": ""}, "default-route", "no default route: the kubelet cannot choose an address"),
    (
        {"interfaces": (("lo", "127.0.0.1/8"), ("eth0", "192.168.0.7/24"))},
        "address",
        "has no interface with its address 10.0.0.1; it has 192.168.0.7",
    ),
    (
        {"ways": (("10.0.0.0/24", "eth0"), ("10.96.0.0/12", "eth1"))},
        "ranges",
        "range of services 10.96.0.0/16 overlaps with route to 10.96.0.0/12 by eth1",
    ),
    ({"ports": frozenset({6443})}, "ports", "port 6443 is in use"),
    ({"ports": frozenset({10250})}, "ports", "port 10250 is in use"),
    ({"ports": frozenset({5000})}, "registry-port", "port 5000 of the registry is in use"),
    ({"active": frozenset({"chrony", "firewalld"})}, "firewall", "firewalld is active"),
    (
        {"files": frozenset({"/etc/kubernetes/kubelet.conf"})},
        "earlier-cluster",
        "/etc/kubernetes/kubelet.conf is there: an earlier cluster",
    ),
    ({"active": frozenset({"chrony", "k3s"})}, "earlier-cluster", "k3s is running: another cluster"),
    ({"active": frozenset({"chrony", "docker"})}, "container-engine", "docker is running already"),
    ({"marks": {"node": "init"}, "kube_ca": ""}, "another-cluster", "is a node of another cluster of this name"),
]


def found(facts: Facts, *roles: str, needs: Needs = NEEDS) -> list[Found]:
    return list(inspect([a_host("10.0.0.1", *roles)], {"10.0.0.1": facts}, needs))


def together(*facts: Facts, needs: Needs = NEEDS) -> list[Found]:
    by_address = {f"10.0.0.{number}": one for number, one in enumerate(facts, start=1)}
    return list(inspect(Inventory(tuple(a_host(address) for address in by_address)), by_address, needs))


def test_a_good_machine_has_no_problem() -> None:
    assert found(good_facts()) == []
    assert found(good_facts(), "node") == []


@pytest.mark.parametrize(("change", "check", "message"), OF_A_MASTER)
def test_a_machine_that_cannot_be_a_node_is_told_why(change: dict[str, Any], check: str, message: str) -> None:
    assert [(one.check, one.message) for one in found(good_facts(**change))] == [(check, message)]


def test_every_check_fails_somewhere_in_these_tests() -> None:
    tested = {check for _, check, _ in OF_A_MASTER} | {check for _, check, _, _ in BETWEEN} | {
        "address-family", "clock", "clock-here"
    }  # fmt: skip
    assert tested == {one.id for one in CHECKS}


def test_ids_are_unique_and_every_check_says_why_it_matters() -> None:
    assert len({one.id for one in CHECKS}) == len(CHECKS)
    assert all(one.reason for one in CHECKS)


@pytest.mark.parametrize(("change", "check", "message"), OF_A_MASTER)
def test_every_finding_has_a_way_out(change: dict[str, Any], check: str, message: str) -> None:
    del check, message
    assert all(one.fix and one.reason for one in found(good_facts(**change)))


@pytest.mark.parametrize("change", [{"cpus": 1}, {"memory_kib": 1 << 20}, {"ports": frozenset({6443})}])
def test_a_worker_needs_less(change: dict[str, Any]) -> None:
    assert found(good_facts(**change), "node") == []


def test_a_worker_needs_some_memory_too() -> None:
    assert [one.message for one in found(good_facts(memory_kib=500 << 10), "node")] == [
        "500 MiB memory, a worker needs 700"
    ]


def test_what_an_earlier_run_of_ours_began_is_no_obstacle() -> None:
    begun = good_facts(
        files=frozenset({"/etc/kubernetes/pki/"}),
        ports=frozenset({6443, 5000}),
        active=frozenset({"containerd", "chrony"}),
        marks={"rootfs": "1", "container-engine": "2"},
        free_kib={"/var/lib": 0},
    )
    assert found(begun) == []


# what the kubelet is to keep free of a disk of 100 GiB → how much that is, in GiB
@pytest.mark.parametrize(
    ("amount", "gib"),
    [("15%", 15), ("0.5%", 0.5), ("3Gi", 3), ("512Mi", 0.5), ("2147483648", 2), ("0%", 0), ("100%", 0), ("", 0)],
)
def test_what_the_kubelet_keeps_free_is_a_part_of_the_disk_or_an_amount(amount: str, gib: float) -> None:
    assert kept_kib(amount, of=Disk(50 << 20, 100 << 20)) == gib * (1 << 20)


@pytest.mark.parametrize(
    ("free", "kept", "lacking"),
    [
        (13, {}, []),  # nobody knows
        (13, {"imagefs.available": "1Gi"}, []),
        (11, {"imagefs.available": "10Gi", "nodefs.available": "9Gi"}, ["imagefs.available 10Gi"]),
        (11, {"imagefs.available": "9Gi", "nodefs.available": "10Gi"}, ["nodefs.available 10Gi"]),
    ],
)
def test_one_disk_is_told_of_once_by_what_asks_for_more(free: int, kept: dict[str, str], lacking: list[str]) -> None:
    disk = Disk(free << 20, 100 << 20)
    needs = dataclasses.replace(NEEDS, kept_free=kept)
    said = [one.message.rpartition(" below ")[2] for one in found(good_facts(nodefs=disk, imagefs=disk), needs=needs)]
    assert said == lacking


def test_a_node_is_looked_at_only_for_what_can_still_be_wrong() -> None:
    bad: dict[str, Any] = {key: value for change, _, _ in OF_A_MASTER for key, value in change.items()}
    node = good_facts(**{**bad, "marks": {"node": "init", "rootfs": "1"}, "kube_ca": "one"})
    always = {one.id for one in CHECKS if one.stage is Stage.ALWAYS}
    assert {one.check for one in found(node)} <= always


def test_checks_can_be_left_out() -> None:
    facts = {"10.0.0.1": good_facts(cpus=1, swap_kib=1 << 20)}
    left = inspect([a_host("10.0.0.1")], facts, NEEDS, skip={"cpu"})
    assert [one.check for one in left] == ["swap"]


def test_an_id_that_is_none_is_refused_with_the_nearest() -> None:
    refuse_unknown(["cpu", "ways"], more=["ways"])
    with pytest.raises(ConfigError, match="--skip: there is no check 'disc-space'") as caught:
        refuse_unknown(["disc-space"])
    assert caught.value.hint == "did you mean 'disk-space'?"


# what is equal on two machines → the check, what the first is told, what the second is told
BETWEEN: list[tuple[dict[str, Any], str, str, str]] = [
    ({"name": "a"}, "same-name", "host name 'a' is that of 10.0.0.2 too", "host name 'a' is that of 10.0.0.1 too"),
    (
        {"machine_id": "id of a"},
        "same-machine-id",
        "machine-id 'id of a' is that of 10.0.0.2 too",
        "machine-id 'id of a' is that of 10.0.0.1 too",
    ),
    (
        {"macs": ("mac of a",)},
        "same-mac",
        "MAC address 'mac of a' is that of 10.0.0.2 too",
        "MAC address 'mac of a' is that of 10.0.0.1 too",
    ),
    (
        {"product_uuid": "uuid"},
        "same-product",
        "product_uuid 'uuid' is that of 10.0.0.2 too",
        "product_uuid 'uuid' is that of 10.0.0.1 too",
    ),
]


@pytest.mark.parametrize(("change", "check", "first", "second"), BETWEEN)
def test_what_must_differ_between_hosts_is_told_to_both(
    change: dict[str, Any], check: str, first: str, second: str
) -> None:
    one, other = good_facts("a", product_uuid="uuid"), dataclasses.replace(good_facts("b"), **change)
    assert [(one.host, one.check, one.message) for one in together(one, other)] == [
        ("10.0.0.1", check, first),
        ("10.0.0.2", check, second),
    ]


def test_equal_names_are_no_problem_when_a_plugin_gives_others() -> None:
    renamed = dataclasses.replace(NEEDS, renamed=True)
    same = dataclasses.replace(good_facts("b"), name="localhost")
    assert together(good_facts("localhost"), same, needs=renamed) == []


def test_containers_of_one_machine_share_its_identity() -> None:
    inside = frozenset({"overlay", "bridge", "kmsg", "container"})
    assert together(*(good_facts(name, product_uuid="uuid", features=inside) for name in "ab")) == []


NOW = 1_800_000_000


def clocks(*offsets: float, doubt: float = 0.1) -> list[tuple[str, str, str]]:
    facts = [
        good_facts(f"h{number}", time=NOW + offset).asked_between(NOW - doubt, NOW + doubt)
        for number, offset in enumerate(offsets)
    ]
    return [(one.host, one.check, one.message) for one in together(*facts)]


@pytest.mark.parametrize(
    ("offsets", "told"),
    [
        ((0, 2, -3), []),
        ((0, 0, -3600), [("10.0.0.3", "clock", "clock is 60 min behind against the others")]),
        ((0, 90), [("10.0.0.2", "clock", "clock is 90 s ahead against the others")]),
        ((3600, 0), [("10.0.0.1", "clock", "clock is 60 min ahead against the others")]),
        ((3600, 3601, 3602), [(HERE, "clock-here", "clock is 60 min behind against the hosts")]),
        ((-3600,), [(HERE, "clock-here", "clock is 60 min ahead against the hosts")]),
        (
            (-90_000, -90_000, -90_000),
            [(HERE, "clock-here", "clock is 25 h ahead against the hosts; certificates will not be valid yet")],
        ),
    ],
)
def test_clocks_are_compared_with_each_other_and_ours(
    offsets: tuple[float, ...], told: list[tuple[str, str, str]]
) -> None:
    assert clocks(*offsets) == told


def test_a_slow_answer_makes_no_wrong_clock() -> None:
    assert clocks(0, 0, 70, doubt=30) == []


@pytest.mark.parametrize(
    ("address", "needs", "message"),
    [
        ("fd00::1", {}, "its address is IPv6, the range of pods 100.64.0.0/16 is not"),
        ("10.0.0.1", {"pods": ("fd01::/48",)}, "its address is IPv4, the range of pods fd01::/48 is not"),
    ],
)
def test_addresses_and_ranges_are_of_one_family(address: str, needs: dict[str, Any], message: str) -> None:
    facts = {address: good_facts(interfaces=())}
    said = inspect([a_host(address)], facts, dataclasses.replace(NEEDS, **needs))
    assert message in [one.message for one in said if one.check == "address-family"]


def test_two_families_fit_both() -> None:
    both = dataclasses.replace(NEEDS, pods=("100.64.0.0/16", "fd01::/48"), services=("10.96.0.0/16", "fd02::/112"))
    assert found(good_facts(), needs=both) == []


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"pods": ("10.96.0.0/12",)}, "range of pods 10.96.0.0/12 and range of services 10.96.0.0/16 overlap"),
        ({"pods": ("10.0.0.0/16",)}, "range of pods 10.0.0.0/16 overlaps with host 10.0.0.1"),
        ({"services": ("10.0.0.0/24",)}, "range of services 10.0.0.0/24 overlaps with route to 10.0.0.0/24 by eth0"),
    ],
)
def test_ranges_that_collide_are_told(needs: dict[str, Any], message: str) -> None:
    said = found(good_facts(), needs=dataclasses.replace(NEEDS, **needs))
    assert message in [one.message for one in said if one.check == "ranges"]


def test_the_routes_of_a_network_of_pods_are_nobodys() -> None:
    ways = (("100.64.0.0/24", "cni0"), ("100.64.1.0/24", "flannel.1"), ("169.254.0.0/16", "eth0"))
    assert found(good_facts(ways=ways)) == []
