"""What `--set` and `--env` change in a Clusterfile, before it is checked."""

from __future__ import annotations

import pytest

from sealpy.clusterfile import Changes, Clusterfile, loads
from sealpy.errors import ClusterfileError, ConfigError

TEXT = """\
kind: Cluster
spec:
  image: kubernetes:v1
  env: [A=1, B=2]
  ssh: {user: admin}
  hosts:
    - {ips: [10.0.0.1], roles: [master], labels: {disk: slow}, env: [A=host]}
    - {ips: [10.0.0.2], roles: [node]}
---
kind: Plugin
metadata: {name: disk}
spec: {type: SHELL, action: PreInit, data: old}
---
kind: Plugin
metadata: {name: swap}
spec: {type: SHELL, action: PreInit, data: old}
"""


def changed(*sets: str, env: tuple[str, ...] = (), text: str = TEXT) -> Clusterfile:
    return loads(text, name="Clusterfile", changes=Changes(sets, env))


def test_a_field_is_set_by_its_path_whether_it_was_there_or_not() -> None:
    found = changed("spec.image=kubernetes:v2", "metadata.name=shop", "spec.ssh.port=2222").cluster
    assert (found.image, found.name, found.ssh.port, found.ssh.user) == ("kubernetes:v2", "shop", 2222, "admin")


def test_the_word_spec_may_be_left_out() -> None:
    assert changed("registry.localRegistry.domain=my.hub").cluster.registry.local.domain == "my.hub"


def test_an_item_of_a_list_is_named_by_its_number_and_the_next_one_is_added() -> None:
    hosts = changed("hosts[0].labels.disk=fast", "hosts[1].ips[1]=10.0.0.3", "hosts[2].ips=[10.0.0.9]").cluster.hosts
    assert hosts[0].labels == {"disk": "fast"}
    assert hosts[1].ips == ("10.0.0.2", "10.0.0.3")
    assert hosts[2].ips == ("10.0.0.9",)


def test_an_item_is_added_without_counting() -> None:
    hosts = changed("hosts[+]={ips: [10.0.0.8], roles: [node]}", "hosts[+].ips[+]=10.0.0.9").cluster.hosts
    assert [entry.ips for entry in hosts[2:]] == [("10.0.0.8",), ("10.0.0.9",)]
    assert changed("env[+]=C=3").cluster.env == {"A": "1", "B": "2", "C": "3"}


def test_a_key_with_dots_stands_in_quotes() -> None:
    assert changed('hosts[0].labels."a.b/c"=d').cluster.hosts[0].labels == {"disk": "slow", "a.b/c": "d"}


@pytest.mark.parametrize("typed", ["0123", "yes", "1e3", "a=b", "x: y", "# no comment", "'quoted'"])
def test_a_value_is_the_text_that_was_typed(typed: str) -> None:
    assert changed(f"ssh.user={typed}").cluster.ssh.user == typed


def test_an_empty_value_takes_a_field_away() -> None:
    assert changed("ssh.user=").cluster.ssh == changed(text=TEXT.replace("user: admin", "")).cluster.ssh


def test_a_list_and_a_mapping_are_written_in_brackets() -> None:
    found = changed("hosts[0].taints=[a=b:NoSchedule, c-]", "ssh={user: other, port: 23}").cluster
    assert found.hosts[0].taints == ("a=b:NoSchedule", "c-")
    assert (found.ssh.user, found.ssh.port) == ("other", 23)


def test_another_document_is_named_by_its_kind_and_one_of_several_by_its_name() -> None:
    found = changed("Plugin/swap.spec.data=new", "ClusterConfiguration.networking.podSubnet=10.1.0.0/16",
                    "KubeletConfiguration.maxPods=200")  # fmt: skip
    assert [plugin.data for plugin in found.plugins] == ["old", "new"]
    assert {document.kind: document.body for document in found.kubeadm} == {
        "ClusterConfiguration": {"networking": {"podSubnet": "10.1.0.0/16"}},
        "KubeletConfiguration": {"maxPods": 200},
    }


def test_env_is_heard_over_the_cluster_and_not_over_a_host() -> None:
    found = changed(env=("A=option", "C=null")).cluster
    assert found.env == {"A": "option", "B": "2", "C": "null"}
    assert found.hosts[0].env == {"A": "host"}


@pytest.mark.parametrize("written", ["", "  env:\n", "  env: {A: 1}\n", "  env: [A=1]\n"])
def test_env_takes_the_form_that_is_there(written: str) -> None:
    assert changed(env=("A=2",), text=f"kind: Cluster\nspec:\n  image: x\n{written}").cluster.env == {"A": "2"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("spec.image", "--set 'spec.image': this is no change"),
        ("=x", "--set '': this is no change"),
        ("a[x]=1", "--set 'a[x]': '[x]' is no part of a path"),
        ("hosts[5].ips=[10.0.0.9]", "--set 'hosts[5].ips': [5] is beyond the 2 items"),
        ("image.name=x", "--set 'image.name': 'name' cannot be found in a text"),
        ("hosts.first=x", "--set 'hosts.first': 'first' cannot be found in a list"),
        ("ssh[+]=x", "--set 'ssh[+]': [+] cannot be found in a mapping"),
        ("ssh[0]=x", "--set 'ssh[0]': [0] cannot be found in a mapping"),
        ("Plugin.spec.data=x", "--set 'Plugin.spec.data': the file holds 2 times a document of kind Plugin"),
        ("Plugin/nobody.spec.data=x", "--set 'Plugin/nobody.spec.data': the file holds no Plugin 'nobody'"),
        ("Config.spec.data=x", "--set 'Config.spec.data': the file holds no document of kind Config"),
        ("ClusterConfiguration=x", "--set 'ClusterConfiguration': no field is named"),
        ("ssh={a: ", "--set 'ssh': the value is no list or mapping"),
    ],
)
def test_a_change_that_leads_nowhere_is_refused_by_its_path(change: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        changed(change)
    assert caught.value.message.startswith(told)
    assert caught.value.hint


def test_what_is_wrong_with_a_value_is_told_by_the_option_and_the_rest_by_the_file() -> None:
    with pytest.raises(ClusterfileError) as caught:
        changed("ssh.port=many", "hosts[1].lables.a=b", env=("=VALUE",), text=TEXT.replace("  image", "  imgae"))
    assert {str(problem) for problem in caught.value.problems} == {
        "--set: spec.ssh.port: a whole number is needed, not text",
        "--set: spec.hosts[1].lables: this field is unknown",
        "--env: spec.env[2]: '' sets nothing",
        "Clusterfile:3: spec.imgae: this field is unknown",
        "Clusterfile:2: spec.image: this field is missing",
    }


def test_the_text_that_was_read_is_not_changed_through_an_alias() -> None:
    text = "kind: Cluster\nspec:\n  image: x\n  hosts: [{ips: [10.0.0.1], env: &e [A=1]}, {ips: [10.0.0.2], env: *e}]\n"
    hosts = changed("hosts[0].env[0]=A=2", text=text).cluster.hosts
    assert [host.env for host in hosts] == [{"A": "2"}, {"A": "1"}]
