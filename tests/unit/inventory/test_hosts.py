"""The machines of a cluster, by role."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.clusterfile import Cluster, loads
from sealpy.connectors.secret import Secret
from sealpy.errors import ClusterfileError
from sealpy.inventory import Host, Inventory
from sealpy.inventory import login as login_module
from sealpy.machines.keys import KeyPair


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
    (tmp_path / "key").write_bytes(KeyPair.generate().private)
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

    def find(_literal: str, reference: object, *, field: str) -> Secret | None:
        assert field.endswith("From")
        followed.extend([reference] if reference else [])
        return None

    monkeypatch.setattr(login_module, "find_password", find)
    Inventory.of(cluster("[{ips: [10.0.0.1, 10.0.0.2], roles: [master]}]", "{passwordFrom: {command: vault}}"))
    assert len(followed) == 1


def test_an_unknown_address_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Inventory.of(cluster(HOSTS))["10.0.0.9"]


@pytest.mark.parametrize(
    ("spec", "line", "hint"),
    [
        ("hosts: [{ips: [10.0.0.1], roles: [node]}]", 5, "give one host roles: [master]"),
        ("hosts: []", 5, "add `hosts:`, one with roles: [master]"),
        ("nodes: {ipList: [10.0.0.1]}", 5, "give one host roles: [master]"),
        ("env: [A=1]", 2, "add `hosts:`, one with roles: [master]"),
    ],
)
def test_a_cluster_without_a_control_plane_is_refused_with_the_line_of_its_hosts(
    spec: str, line: int, hint: str
) -> None:
    found = loads(f"\nkind: Cluster\nspec:\n  image: kubernetes:v1\n  {spec}\n", name="Clusterfile").cluster
    with pytest.raises(ClusterfileError, match=rf"^Clusterfile:{line}: no host has the role 'master'$") as caught:
        Inventory.of(found)
    assert caught.value.hint == hint


def test_what_is_wrong_with_every_login_is_told_once_with_its_line() -> None:
    text = (
        "kind: Cluster\nspec:\n  image: kubernetes:v1\n  ssh:\n    pk: /nowhere/key\n  hosts:\n"
        "    - {ips: [10.0.0.1], roles: [node]}\n    - {ips: [10.0.0.2], roles: [node], ssh: {port: 2222}}\n"
        "    - ips: [10.0.0.3]\n      roles: [node]\n      ssh:\n        pk: /nowhere/other\n"
        "        passwordFrom:\n          env: NOBODY_SET_IT\n"
    )
    with pytest.raises(ClusterfileError) as caught:
        Inventory.of(loads(text, name="Clusterfile").cluster)
    assert [str(problem) for problem in caught.value.problems] == [
        "Clusterfile:5: private key '/nowhere/key': no such file",
        "Clusterfile:6: no host has the role 'master'",
        "Clusterfile:12: private key '/nowhere/other': no such file",
        "Clusterfile:13: passwordFrom env 'NOBODY_SET_IT': the variable is not set",
    ]
