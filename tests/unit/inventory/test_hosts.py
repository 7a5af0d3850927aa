"""The machines of a cluster, by role."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.clusterfile import Cluster, loads
from sealpy.connectors.secret import Secret
from sealpy.errors import ClusterfileError
from sealpy.inventory import Host, Inventory
from sealpy.inventory import login as login_module


def cluster(hosts: str, ssh: str = "{}") -> Cluster:
    text = f"kind: Cluster\nspec:\n  image: kubernetes:v1\n  ssh: {ssh}\n  hosts: {hosts}\n"
    return loads(text, name="Clusterfile").cluster


HOSTS = """\
[{ips: [10.0.0.3, 10.0.0.4], roles: [worker], labels: {disk: ssd}, env: [A=1]},
          {ips: [10.0.0.1], roles: [control-plane], taints: ['a=b:NoSchedule']},
          {ips: [10.0.0.2], roles: [master, node]}, {ips: [10.0.0.5], roles: [storage]}]"""


def test_control_planes_come_first_and_the_first_of_them_leads() -> None:
    found = Inventory.of(cluster(HOSTS))
    assert found.addresses == ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5")
    assert found.leader == "10.0.0.1"


def test_a_control_plane_that_is_also_a_worker_joins_as_a_control_plane() -> None:
    found = Inventory.of(cluster(HOSTS))
    assert (found.masters, found.workers) == (("10.0.0.1", "10.0.0.2"), ("10.0.0.3", "10.0.0.4"))


def test_both_vocabularies_of_roles_mean_the_same_and_others_are_kept() -> None:
    assert [host.roles for host in Inventory.of(cluster(HOSTS))] == [
        ("master",),
        ("master", "node"),
        ("node",),
        ("node",),
        ("storage",),
    ]


def test_every_host_of_an_entry_carries_what_the_entry_says() -> None:
    host: Host = Inventory.of(cluster(HOSTS))["10.0.0.4"]
    assert (host.labels, host.env, host.taints) == ({"disk": "ssd"}, {"A": "1"}, ())


def test_a_host_is_reached_as_its_entry_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ssh = "{user: admin, port: 2222, pk: ~/key, passwd: geheim, hostKeyPolicy: strict}"
    target = Inventory.of(cluster("[{ips: ['fd00::1'], roles: [master], ssh: {port: 22}}]", ssh))["fd00::1"].target
    assert (target.user, target.port, target.private_key) == ("admin", 22, tmp_path / "key")
    assert (target.password, target.host_key_policy) == (Secret("geheim"), "strict")


def test_all_secrets_are_known_for_redaction_also_those_found_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "elsewhere")
    hosts = (
        "[{ips: [10.0.0.1], roles: [master], ssh: {passwordFrom: {env: SITE_PASSWORD}}},"
        " {ips: [10.0.0.2], roles: [node]}]"
    )
    assert Inventory.of(cluster(hosts, "{passwd: a, pkPasswd: b, sudoPasswd: c}")).secrets == (
        "elsewhere",
        "b",
        "c",
        "a",
    )


def test_a_reference_is_followed_once_for_all_hosts_of_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[object] = []

    def find(_literal: str, reference: object) -> Secret | None:
        followed.extend([reference] if reference else [])
        return None

    monkeypatch.setattr(login_module, "find_password", find)
    Inventory.of(cluster("[{ips: [10.0.0.1, 10.0.0.2], roles: [master]}]", "{passwordFrom: {command: vault}}"))
    assert len(followed) == 1


def test_an_unknown_address_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Inventory.of(cluster(HOSTS))["10.0.0.9"]


@pytest.mark.parametrize("hosts", ["[]", "[{ips: [10.0.0.1], roles: [node]}]"])
def test_a_cluster_without_a_control_plane_is_refused_with_its_place(hosts: str) -> None:
    with pytest.raises(ClusterfileError, match=r"^Clusterfile:1: no host has the role 'master'$") as caught:
        Inventory.of(cluster(hosts))
    assert caught.value.hint == "give one host roles: [master]"
