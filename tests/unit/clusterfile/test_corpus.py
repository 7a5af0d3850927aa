"""Clusterfiles and plugins that people published: each is read, or refused for a right reason.

The files lie beside the project, not in it. What they taught stands in the golden cases, which need them not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.clusterfile import dumps, load, load_plugins, loads, without_secrets
from sealpy.errors import ClusterfileError

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"
FILES = sorted(CORPUS.glob("clusterfiles/*.yaml"))
PLUGINS = sorted(CORPUS.glob("plugins/*.yaml"))

pytestmark = pytest.mark.skipif(not FILES, reason=f"the corpus of published files does not lie at {CORPUS}")

NO_CLUSTER = "no document of kind Cluster"  # a part of a Clusterfile, shown alone in a document
CLOUD = "spec.provider: 'ALI_CLOUD' is not supported"
REFUSED = {
    "AliyunContainerService-ackdistro-docs-ipv6.yaml": "6: '...' is a placeholder",
    "labring-actions-cluster-image-sealos-flannel.yaml": "1: apiVersion: this is a Clusterfile of sealos",
    "labring-actions-cluster-image-sealos-passwd-number.yaml": "1: apiVersion: this is a Clusterfile of sealos",
    "sealerio-applications-invalid-stars.yaml": "11: stars stand for a secret that was taken out",
    "sealerio-sealer-docs-infra.yaml": "9: kind: 'Infra' is read by nothing",
    "sealerio-sealer-docs-kubeadmconfig.yaml": "2: kind: 'KubeadmConfig' is read by nothing",
    "sealerio-sealer-docs-v1-all-fields.yaml": f"12: {CLOUD}",
    "sealerio-sealer-no-cluster-document.yaml": NO_CLUSTER,
    "sealerio-sealer-no-kind.yaml": "1: a document without a kind",
    "sealerio-sealer-v1-ali-cloud.yaml": f"7: {CLOUD}",
    "sealerio-sealer-v1-calico-bare.yaml": "9: spec.masters.ipList[0]: host 'x.x.x.x' is no IP address",
    "sealerio-sealer-v1-calico.yaml": f"7: {CLOUD}",
    "sealerio-sealer.cool-docs-config-data-mapping.yaml": NO_CLUSTER,
    "sealerio-sealer.cool-docs-config.yaml": NO_CLUSTER,
    "sealerio-sealer.cool-docs-hosts-as-mapping.yaml": "9: spec.hosts: a list is needed, not a mapping",
    "sealerio-sealer.cool-docs08-config-process.yaml": NO_CLUSTER,
    "sealerio-sealer.cool-docs08-config-unit-file.yaml": NO_CLUSTER,
    "sealerio-sealer.cool-docs08-kubeadm-full.yaml": NO_CLUSTER,
}


@pytest.mark.parametrize("file", [file for file in FILES if file.name not in REFUSED], ids=lambda file: file.name)
def test_a_published_clusterfile_is_read_and_saved(file: Path) -> None:
    found = load(file)
    assert loads(dumps(found), name="saved") == without_secrets(found)


@pytest.mark.parametrize("name", REFUSED)
def test_a_published_clusterfile_that_says_nothing_usable_is_refused_for_its_reason(name: str) -> None:
    with pytest.raises(ClusterfileError) as caught:
        load(CORPUS / "clusterfiles" / name)
    assert any(REFUSED[name] in str(problem) for problem in caught.value.problems)
    assert all(problem.hint for problem in caught.value.problems)


@pytest.mark.parametrize("name", [name for name, reason in REFUSED.items() if reason == NO_CLUSTER])
def test_a_published_part_of_a_clusterfile_is_read_beside_a_cluster(name: str) -> None:
    text = (CORPUS / "clusterfiles" / name).read_text(encoding="utf-8")
    loads(f"kind: Cluster\nspec: {{image: kubernetes:v1}}\n---\n{text}", name=name)


@pytest.mark.parametrize("file", PLUGINS, ids=lambda file: file.name)
def test_a_published_file_of_plugins_is_read(file: Path) -> None:
    plugins = load_plugins(file)
    assert bool(plugins) == bool(file.read_bytes())
