"""The words of `sealpy run` mean a Clusterfile; what is wrong with them is told in their own words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sealpy.cli.wish import Wish, clusterfile_of
from sealpy.clusterfile import Clusterfile, HostEntry, Jump, Ssh, dumps
from sealpy.errors import ConfigError
from sealpy.events import Emit
from sealpy.machines import local
from sealpy.machines.local import Machine

IMAGE = "kubernetes:v1.34.4"


def read(**words: Any) -> Clusterfile:
    return clusterfile_of(Wish(**{"image": IMAGE, "masters": "10.0.0.1", **words}), lambda _: None)


def test_addresses_and_ranges_become_hosts_by_role() -> None:
    cluster = read(masters="10.0.0.1,10.0.0.2", nodes="10.0.0.4-10.0.0.5").cluster
    assert (cluster.name, cluster.image) == ("my-cluster", IMAGE)
    assert cluster.hosts == (
        HostEntry(ips=("10.0.0.1", "10.0.0.2"), roles=("master",)),
        HostEntry(ips=("10.0.0.4", "10.0.0.5"), roles=("node",)),
    )


def test_the_login_is_that_of_every_host() -> None:
    cluster = read(nodes="10.0.0.2", user="admin", port=2222, private_key=Path("/k"), password="geheim",
                   key_password="phrase").cluster  # fmt: skip
    login = Ssh(user="admin", port=2222, private_key="/k", password="geheim", private_key_password="phrase")
    assert {entry.ssh for entry in cluster.hosts} == {cluster.ssh} == {login}


def test_jump_hosts_are_those_of_every_host_and_stay_known() -> None:
    found = read(nodes="10.0.0.2", jump="ops@bastion.site:2222,10.0.0.9")
    way = (Jump(host="bastion.site", ssh=Ssh(user="ops", port=2222)), Jump(host="10.0.0.9"))
    assert {entry.ssh.jump for entry in found.cluster.hosts} == {way}
    assert "bastion.site" in dumps(found), "delete goes the same way"


def test_environment_commands_and_apps_are_taken_as_they_are() -> None:
    cluster = read(env=("PodCIDR=10.244.0.0/16", "A=b=c"), commands=("kubectl get nodes",), apps=("shop",)).cluster
    assert cluster.env == {"PodCIDR": "10.244.0.0/16", "A": "b=c"}
    assert (cluster.cmd, cluster.app_names) == (("kubectl get nodes",), ("shop",))


def test_any_field_can_be_set_and_what_is_wrong_is_told_by_that_option() -> None:
    found = read(sets=("hosts[0].labels.disk=ssd", "hosts[0].ssh.port=2222"), password="geheim").cluster
    assert found.hosts[0].labels == {"disk": "ssd"}
    assert (found.hosts[0].ssh.port, found.hosts[0].ssh.password) == (2222, "geheim")
    with pytest.raises(ConfigError) as caught:
        read(sets=("hosts[0].lables.disk=ssd",), env=("=VALUE",))
    assert {str(problem) for problem in caught.value.problems} == {
        "--set: spec.hosts[0].lables: this field is unknown",
        "--env: '' sets nothing",
    }


@pytest.mark.parametrize("secret", ["geheim", "yes", "0123", "a: b", "******", "{{ x }}", "-"])
def test_a_secret_is_what_was_given_whatever_it_looks_like_and_is_in_no_text(secret: str) -> None:
    found = read(password=secret, key_password=secret)
    assert found.cluster.secrets == (secret,)
    assert found.notices == (), "the warning about a password in a file is for files"
    assert "asswd" not in dumps(found)
    assert secret not in repr(Wish(image=IMAGE, masters="x", password="geheim")) or secret == "-"


def test_a_key_in_a_home_that_nobody_has_is_a_path_like_any_other() -> None:
    assert read(private_key=Path("~nobody-here/x")).cluster.ssh.private_key.endswith("/~nobody-here/x")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"masters": ""}, "no control plane is named"),
        ({"masters": "", "image": ""}, "what to run is not said"),
        ({"jump": "a b"}, "--jump: 'a b' is no jump host"),
        ({"masters": "10.0.0.300"}, "host '10.0.0.300' is no IP address"),
        ({"nodes": "10.0.0.1"}, "host '10.0.0.1' stands in -m and in -n"),
        ({"name": "My_Cluster"}, "--name: 'My_Cluster' cannot be the name of a cluster"),
        ({"image": ""}, "IMAGE: it must not be empty"),
        ({"user": "a b", "env": ("=A",)}, "--env: '' sets nothing"),
        ({"provider": "lokal"}, "provider 'lokal' is not known (did you mean 'local'?)"),
        ({"provider": "local"}, "--masters: '10.0.0.1' is no count of machines"),
        ({"provider": "local", "masters": "0"}, "--masters: '0' is no count of machines"),
        ({"provider": "local", "masters": "1", "nodes": "x"}, "--nodes: 'x' is no count of machines"),
        ({"provider": "local", "masters": "1", "user": "a", "port": 2222}, "--user, --port: not with --provider"),
    ],
)
def test_what_is_wrong_is_told_by_the_option_and_without_lines_of_a_text_nobody_saw(
    words: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**words)
    error = caught.value
    lines = [f"{error.message} ({error.hint})", *map(str, error.problems)]
    assert any(told in line for line in lines), lines
    assert not any("command line:1" in line for line in lines)


class FakeLab:
    """Be a lab whose machines are up at once."""

    def __init__(self, name: str, home: Path) -> None:
        self.name, self.home = name, home

    def up(self, nodes: int, *, emit: Emit) -> Sequence[Machine]:
        del emit
        key = self.home / "lab" / self.name / "key"
        return [Machine(name=f"lab-{n}", address=f"10.99.0.{10 + n}", private_key=key) for n in range(1, nodes + 3)]


def test_a_provider_boots_as_many_machines_as_are_wished(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path))
    monkeypatch.setattr(local, "Lab", FakeLab)

    cluster = read(provider="local", masters="1", nodes="2").cluster

    assert [(entry.ips, entry.roles) for entry in cluster.hosts] == [
        (("10.99.0.11",), ("master",)),
        (("10.99.0.12", "10.99.0.13"), ("node",)),
    ]
    assert cluster.ssh == Ssh(private_key=str(tmp_path / "lab" / "lab" / "key"))
