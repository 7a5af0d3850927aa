"""Templates that people published: each comes out as Go renders it, or fails for a right reason.

The files lie beside the project, not in it; four of them stand in the golden cases. Digests are those of Go's output.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sealpy.errors import TemplateError
from sealpy.gotemplate import render

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "templates"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the corpus of published files does not lie at {CORPUS}")

ACKDISTRO, SEALER, SEALOS = (
    "AliyunContainerService-ackdistro",
    "sealerio-sealer",
    "labring-actions-cluster-image-sealos",
)
ENV: dict[str, object] = {
    "HostIPFamily": "6",
    "PodCIDR": "10.0.0.0/8",
    "SvcCIDR": "10.96.0.0/16",
    "ContainerRuntime": "containerd",
    "ClusterScale": "large",
    "IPv6DualStack": "true",
    "RegistryURL": "r.example:5000",
}
AS_GO_DOES: list[tuple[str, dict[str, object], str]] = [
    (f"{SEALER}-kubeadm.yaml.tmpl", ENV, "17a5f1e575f86f35"),
    (f"{ACKDISTRO}-if.yaml.tmpl", {}, "1543a86124275531"),
    (f"{ACKDISTRO}-if.yaml.tmpl", ENV, "1543a86124275531"),
    (f"{ACKDISTRO}-shell-variables.yaml.tmpl", {}, "449db966d1d9a9f5"),
    (f"{ACKDISTRO}-kubeadm-v1.20.yml.tmpl", {}, "3871f970a2377217"),
    (f"{ACKDISTRO}-kubeadm-v1.20.yml.tmpl", ENV, "ef6dcad3c98a0cb5"),
    (f"{ACKDISTRO}-kubeadm-v1.22.yml.tmpl", {}, "320abd77a16944ba"),
    (f"{ACKDISTRO}-kubeadm-v1.22.yml.tmpl", ENV, "86cb2c69374e91a1"),
    (f"{ACKDISTRO}-docker.service.tmpl", {}, "ea94127ec753948e"),
    (f"{ACKDISTRO}-containerd-config.toml.tmpl", {}, "90162dcf84726131"),
    (f"{ACKDISTRO}-containerd-config.toml.tmpl", ENV, "969f772be4438af7"),
    (f"{ACKDISTRO}-daemon.json.tmpl", {}, "8a935451b62cfd5e"),
    (f"{ACKDISTRO}-daemon.json.tmpl", ENV, "8a935451b62cfd5e"),
]
REFUSED = [
    (f"{SEALER}-kubeadm.yaml.tmpl", "7: '.PodCIDR' has no value"),  # Go writes <no value>
    (f"{SEALER}-b64.yaml.tmpl", "5: '.IP' has no value"),  # Go: invalid value
    (f"{ACKDISTRO}-range.yaml.tmpl", "16: '.EtcdServers' has no value"),  # Go writes <no value>
    (f"{ACKDISTRO}-invalid-bare-words.yml.tmpl", "15: function 'cluster' does not exist"),
    (f"{ACKDISTRO}-invalid-fi.yml.tmpl", "9: function 'fi' does not exist"),
    (f"{SEALOS}-storageclass.yaml.tmpl", "14: function 'default' does not exist"),
    (f"{SEALOS}-crlf.yml.tmpl", "17: function 'default' does not exist"),
]


def rendered(name: str, values: dict[str, object]) -> str:
    return render((CORPUS / name).read_bytes().decode(), values, name=name)


@pytest.mark.parametrize(("name", "values", "digest"), AS_GO_DOES)
def test_a_published_template_comes_out_as_from_go(name: str, values: dict[str, object], digest: str) -> None:
    assert hashlib.sha256(rendered(name, values).encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize(("name", "reason"), REFUSED)
def test_a_published_template_that_cannot_be_filled_says_where(name: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(name, {})
    told = [str(problem) for problem in caught.value.problems] or [str(caught.value)]
    assert any(f"{name}:{reason}" in line for line in told)


def test_a_published_template_with_a_list_is_filled() -> None:
    values: dict[str, object] = {
        "KubeadmAPI": "v1",
        "Version": "v1",
        "ApiServer": "a",
        "PodCIDR": "p",
        "SvcCIDR": "s",
        "VIP": "v",
        "EtcdServers": "e",
        "CertSANS": ["a.example", "b.example"],
    }
    text = rendered(f"{ACKDISTRO}-range.yaml.tmpl", values)
    assert "a.example" in text
    assert "{{" not in text


def test_every_published_template_is_tried() -> None:
    tried = {name for name, *_ in AS_GO_DOES} | {name for name, _ in REFUSED}
    assert {file.name for file in CORPUS.iterdir()} == tried
