"""Names of images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.errors import BadReferenceError
from sealpy.image.reference import Reference, registry_domain

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27"),
        ("flannel/flannel:v0.28.4", "docker.io/flannel/flannel:v0.28.4", "flannel/flannel:v0.28.4"),
        ("index.docker.io/library/nginx:1", "docker.io/library/nginx:1", "nginx:1"),
        ("docker.io/nginx:1", "docker.io/library/nginx:1", "nginx:1"),
        ("registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause:3.10.1"),
        ("sea.hub:5000/x", "sea.hub:5000/x:latest", "sea.hub:5000/x:latest"),
        ("localhost/x:1", "localhost/x:1", "localhost/x:1"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}", f"nginx@{DIGEST}"),
        (f"quay.io/a/b:1@{DIGEST}", f"quay.io/a/b:1@{DIGEST}", f"quay.io/a/b:1@{DIGEST}"),
        ("[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1"),
    ],
)
def test_a_name_is_read_as_docker_reads_it(text: str, full: str, familiar: str) -> None:
    reference = Reference.parse(text)
    assert (str(reference), reference.familiar) == (full, familiar)
    assert Reference.parse(full) == Reference.parse(familiar) == reference


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("nginx 1", "blanks"),
        (" nginx", "blanks"),
        ("Nginx:1", "names are lower case: 'nginx:1'"),
        ("{{ .ProxyImage }}", "template"),
        ("{{.ProxyImage}}", "template"),
        ("x:${TAG}", "template"),
        ("nginx:", "no tag"),
        ("nginx:-1", "no tag"),
        ("nginx:" + "1" * 129, "no tag"),
        ("nginx@sha256:12", "no digest"),
        ("a//b", "no part"),
        ("a/b_", "no part"),
        ("-x.io/a", "no domain"),
        ("a" * 300, "too long"),
    ],
)
def test_a_bad_name_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadReferenceError) as caught:
        Reference.parse(text)
    assert reason in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except BadReferenceError:
        return
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("domain", "below"), [("docker.io", "docker.io"), ("sea.hub:5000", "sea.hub_5000"), ("[::1]:80", "1_80")]
)
def test_the_registry_of_a_cluster_holds_a_domain_below_a_legal_path(domain: str, below: str) -> None:
    assert registry_domain(domain) == below
