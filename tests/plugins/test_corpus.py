"""Plugins that people published: each is bound to its types, or refused for a right reason.

The files lie beside the project, not in it. What they taught stands in the cases of the other tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.clusterfile import load_plugins
from sealpy.errors import PluginError
from sealpy.plugin import check, discover
from sealpy.testing.stage import cluster

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "plugins"
FILES = sorted(CORPUS.glob("*.yaml"))
HOSTS = cluster(masters=("192.168.0.2", "192.168.0.3"), nodes=("192.168.0.5", "192.168.0.6"))

pytestmark = pytest.mark.skipif(not FILES, reason=f"the corpus of published plugins does not lie at {CORPUS}")

# file → why it cannot be bound
REFUSED = {
    "sealerio-sealer-so-type.yaml": "type 'LABEL_TEST_SO' is not known",
    "sealerio-sealer.cool-docs-own-type.yaml": "type 'LABEL_TEST_SO' is not known",
}
# file → what is told of it all the same
TOLD = {
    "AliyunContainerService-ackdistro-configure-kubelet-hook.yaml": "blanks round '|' are left out",
    "AliyunContainerService-ackdistro-health-check.yaml": "the key stands without quotes",
    "AliyunContainerService-ackdistro-install-addons.yaml": "'master0' is read as the first master",
    "sealerio-applications-nvidia.yaml": "'role=master' is read as a role",
    "sealerio-sealer.cool-docs-scope-slash.yaml": "'/' is read as '|'",
    "sealerio-sealer.cool-docs-unquoted-on.yaml": "'role=node' is read as a role",
}


@pytest.mark.parametrize("file", [file for file in FILES if file.name not in REFUSED], ids=lambda file: file.name)
def test_a_published_plugin_is_bound(file: Path) -> None:
    documents = load_plugins(file)
    bound = check((), discover(), HOSTS, image=documents)
    assert len(bound) == len(set(documents))
    assert all(one.points for one in bound)


@pytest.mark.parametrize("name", REFUSED)
def test_a_published_plugin_whose_code_is_not_here_is_refused(name: str) -> None:
    with pytest.raises(PluginError) as caught:
        check((), discover(), HOSTS, image=load_plugins(CORPUS / name))
    assert REFUSED[name] in str(caught.value.problems[0])


@pytest.mark.parametrize("name", TOLD)
def test_what_is_unusual_in_a_published_plugin_is_told(name: str) -> None:
    bound = check((), discover(), HOSTS, image=load_plugins(CORPUS / name))
    assert any(TOLD[name] in str(notice) for one in bound for notice in one.notices)
