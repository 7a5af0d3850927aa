"""What `sealpy explain` says of a field."""

from __future__ import annotations

import pytest

from sealpy.clusterfile.explain import explain
from sealpy.errors import ConfigError


@pytest.mark.parametrize(
    "written", ["hosts.ips", "spec.hosts.ips", "Cluster.spec.hosts[0].ips", "cluster.hosts[].ips", ".hosts.ips"]
)
def test_a_field_is_found_however_its_path_is_written(written: str) -> None:
    found = explain(written)
    assert (found.kind, found.path, found.holds) == ("Cluster", "spec.hosts.ips", "list of texts")
    assert "ranges" in found.text


@pytest.mark.parametrize(
    ("field", "holds"),
    [
        ("ssh", "mapping"),
        ("ssh.port", "whole number"),
        ("hosts", "list of mappings"),
        ("hosts.labels", "mapping of names to values"),
        ("env", "list of texts"),
        ("ssh.jump", "list of mappings"),
        ("registry.localRegistry.insecure", "true or false"),
        ("Config.spec.strategy", "text"),
        ("ClusterConfiguration.apiServer.extraVolumes", "list of mappings"),
        ("Plugin.spec.retry.attempts", "whole number"),
    ],
)
def test_a_field_says_what_it_holds(field: str, holds: str) -> None:
    assert explain(field).holds == holds


def test_a_mapping_lists_its_fields_and_which_of_them_must_be_written() -> None:
    fields = {field.name: field for field in explain("hosts").fields}
    assert set(fields) == {"ips", "roles", "ssh", "env", "labels", "taints"}
    assert fields["ips"].required
    assert not fields["roles"].required
    assert all(field.text for field in fields.values())


def test_a_choice_and_a_default_are_told() -> None:
    assert explain("Config.spec.strategy").choices == ("overwrite", "merge")
    assert explain("Config.spec.strategy").default == "overwrite"
    assert explain("registry.localRegistry.port").default == "5000"


def test_a_kind_alone_is_explained() -> None:
    assert [field.name for field in explain("Application").fields][-1] == "spec"
    assert explain("").kind == "Cluster"


@pytest.mark.parametrize(
    ("field", "told", "hint"),
    [
        ("hosts.lables", "field 'hosts.lables': Cluster.spec.hosts has no 'lables'", "did you mean 'labels'?"),
        ("Plugn.spec", "'Plugn' is no kind of a Clusterfile", "did you mean 'Plugin'?"),
        ("image.name", "field 'image.name': Cluster.spec.image has no 'name'", "it holds no fields"),
        ("KubeletConfiguration.maxPods", "KubeletConfiguration has no 'maxPods'", "those of Kubernetes"),
    ],
)
def test_a_field_that_is_not_there_is_refused_with_the_nearest_name(field: str, told: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        explain(field)
    assert told in caught.value.message
    assert hint in caught.value.hint
