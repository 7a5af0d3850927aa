"""The first Clusterfile that is written for people."""

from __future__ import annotations

from dataclasses import replace

from sealpy.clusterfile import Cluster, HostEntry, Jump, PasswordFrom, Ssh, draft, loads

CLUSTER = Cluster(
    image="kubernetes:v1.34.4",
    name="shop",
    hosts=(HostEntry(ips=("10.0.0.1",), roles=("master",)), HostEntry(ips=("10.0.0.2", "10.0.0.3"), roles=("node",))),
)
WHOLE = """\
# `sealpy explain FIELD` says what a field is for, `sealpy plan -f FILE` what an apply would change.
apiVersion: sealer.io/v2
kind: Cluster
metadata:
  name: shop
spec:
  image: kubernetes:v1.34.4
  # ssh: {user: admin, pk: ~/.ssh/id_ed25519}   others than root work through sudo
  env: # for scripts and templates of the image
    - PodCIDR=172.20.0.0/16 # no machine has an address or a way there
  hosts:
    - ips:
        - 10.0.0.1 # n1, Debian 12
      roles: [master]
    - ips:
        - 10.0.0.2
        - 10.0.0.3
      roles: [node]
"""


def test_it_says_what_each_machine_is_and_which_ranges_are_free() -> None:
    text = draft(CLUSTER, {"10.0.0.1": "n1, Debian 12"}, ranges={"PodCIDR": "172.20.0.0/16"})
    assert text.startswith(WHOLE)


def test_it_is_read_back_as_it_was_meant() -> None:
    ssh = Ssh(user="admin", port=2222, private_key="/k", jump=(Jump(host="bastion"),))
    hosts = tuple(replace(entry, ssh=ssh) for entry in CLUSTER.hosts)
    wanted = replace(CLUSTER, ssh=ssh, hosts=hosts)
    assert loads(draft(wanted, {}, ranges={}), name="f").cluster == wanted


def test_no_password_is_written_but_where_it_is_found() -> None:
    ssh = Ssh(password="geheim", private_key_password="auch geheim")
    text = draft(replace(CLUSTER, ssh=ssh), {}, ranges={})
    assert "geheim" not in text
    read = loads(text, name="f")
    assert read.notices == ()
    assert read.cluster.ssh.password_from == PasswordFrom("env", "SEALPY_PASSWORD")
    assert read.cluster.ssh.private_key_password_from == PasswordFrom("env", "SEALPY_PK_PASSWD")


def test_what_a_machine_says_of_itself_stays_a_comment() -> None:
    text = draft(CLUSTER, {"10.0.0.1": "evil\n  image: other\r\n# x"}, ranges={})
    assert loads(text, name="f").cluster.image == "kubernetes:v1.34.4"


def test_addresses_of_ipv6_are_written_as_yaml_needs_them() -> None:
    cluster = replace(CLUSTER, hosts=(HostEntry(ips=("fd00::1",), roles=("master",)),))
    assert loads(draft(cluster, {}, ranges={}), name="f").cluster.hosts[0].ips == ("fd00::1",)
