from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.actions.check import needs_without_image
from sealpy.actions.environment import network_env
from sealpy.clusterfile import load
from sealpy.inventory import Inventory
from sealpy.plugin import check, discover

EXAMPLES = Path(__file__).parents[3] / "examples" / "clusterfiles"


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_every_example_is_read_without_a_notice_and_its_plugins_are_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "secret")
    clusterfile = load(EXAMPLES / name)
    assert clusterfile.notices == ()
    if "command" in (EXAMPLES / name).read_text():
        return  # its password comes from a program that is not here
    inventory = Inventory.of(clusterfile.cluster)
    assert len(check(clusterfile.plugins, discover(), inventory)) == len(clusterfile.plugins)


def test_the_pod_network_that_kubeadm_is_told_is_known_to_templates_and_to_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "secret")
    clusterfile = load(EXAMPLES / "settings.yaml")
    assert network_env(clusterfile)["PodCIDR"] == "172.20.0.0/16"
    assert needs_without_image(clusterfile, Inventory.of(clusterfile.cluster)).pods == ("172.20.0.0/16",)
