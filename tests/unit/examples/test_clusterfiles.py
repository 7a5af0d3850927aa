from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.actions.check import needs_without_image
from sealpy.actions.environment import network_env
from sealpy.clusterfile import Clusterfile, Ssh, load
from sealpy.inventory import Inventory
from sealpy.plugin import check, discover

EXAMPLES = Path(__file__).parents[3] / "examples" / "clusterfiles"


def hosts_of(clusterfile: Clusterfile) -> Inventory:
    """Take the hosts without what they are logged in by: the keys of the examples are not here."""
    cluster = clusterfile.cluster
    hosts = tuple(replace(entry, ssh=Ssh()) for entry in cluster.hosts)
    return Inventory.of(replace(cluster, hosts=hosts))


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_every_example_is_read_without_a_notice_and_its_plugins_are_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "secret")
    clusterfile = load(EXAMPLES / name)
    assert clusterfile.notices == ()
    if "command" in (EXAMPLES / name).read_text():
        return  # its password comes from a program that is not here
    assert len(check(clusterfile.plugins, discover(), hosts_of(clusterfile))) == len(clusterfile.plugins)


def test_the_pod_network_that_kubeadm_is_told_is_known_to_templates_and_to_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "secret")
    clusterfile = load(EXAMPLES / "settings.yaml")
    assert network_env(clusterfile)["PodCIDR"] == "172.20.0.0/16"
    assert needs_without_image(clusterfile, hosts_of(clusterfile)).pods == ("172.20.0.0/16",)
