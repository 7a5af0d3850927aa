"""Which texts look like names of images, and which only seem to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.errors import ImageError, Problem
from sealpy.image.finding import find
from sealpy.image.finding.likeness import spotted
from sealpy.image.metadata import Metadata
from sealpy.image.tarball import Member

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "beside", "found"),
    [
        ("quay.io/a/b:1", "", ["quay.io/a/b:1"]),
        ("quay.io/a/b:1", "ANYTHING", ["quay.io/a/b:1"]),
        (f"quay.io/a/b@{DIGEST}", "", [f"quay.io/a/b@{DIGEST}"]),
        (f"quay.io/a/b:1@{DIGEST}", "", [f"quay.io/a/b:1@{DIGEST}"]),
        ("registry:5000/a:1", "", ["registry:5000/a:1"]),
        ("10.0.0.1:5000/a/b:1", "", ["10.0.0.1:5000/a/b:1"]),
        ("openebs/linux-utils:2.11.0", "", ["openebs/linux-utils:2.11.0"]),
        ("openebs/linux-utils:latest", "", ["openebs/linux-utils:latest"]),
        ("busybox:1", "HELPER_IMAGE", ["busybox:1"]),
        ("busybox:stable", "--worker-image", ["busybox:stable"]),
        ("3.6.0=quay.io/k:a-3.6.0\n3.7.0=quay.io/k:a-3.7.0\n", "X", ["quay.io/k:a-3.6.0", "quay.io/k:a-3.7.0"]),
        ('{"image": "nginx:1.27", "other": "quay.io/a/b:2"}', "", ["nginx:1.27", "quay.io/a/b:2"]),
        ("- image: nginx:1.27\n", "", ["nginx:1.27"]),
        ("a:\n  image: nginx:1.27\n", "config", ["nginx:1.27"]),
        ("Uses quay.io/a/b:1.0.", "", ["quay.io/a/b:1.0"]),
        ("Uses (quay.io/a/b:1.0), or not", "", ["quay.io/a/b:1.0"]),
    ],
)
def test_names_of_images_are_spotted(text: str, beside: str, found: list[str]) -> None:
    assert spotted(text, beside=beside) == found


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("busybox:1", ""),
        ("busybox:1", "NAME"),
        ("host:80", "--listen"),
        ("12:30", ""),
        ("a/b:c", ""),
        ("1/2:3", ""),
        ("https://quay.io/a/b:1", ""),
        ("https://example.com/image:1.0", ""),
        ("oci://quay.io/a/b:1", ""),
        ("/etc/a/b:1.0", ""),
        ("./a/b:1.0", ""),
        ("user@example.com/a:1", ""),
        ("quay.io/a/b", ""),
        ("example.com/role", ""),
        ("arn:aws:iam::123456789012:role/x", ""),
        ("application/vnd.oci.image.manifest.v1+json", ""),
        ("image/png", "LOGO_IMAGE_TYPE"),
        ("IfNotPresent", "IMAGE_PULL_POLICY"),
        ("v1.0", "IMAGE_TAG"),
        ("imageTag: v1:0", ""),
        ("the image: a picture", ""),
        ("$(REGISTRY)/a/b:1.0", "X_IMAGE"),
        ("{{ .Registry }}/a/b:1.0", "X_IMAGE"),
        ("# quay.io/a/b:1.0\n// quay.io/a/b:1.0\n", ""),
        ("example.com/a:1:2", ""),
        ("2021/01/02:10", ""),
        ("", "IMAGE"),
    ],
)
def test_what_only_seems_to_name_an_image_is_left_alone(text: str, beside: str) -> None:
    assert spotted(text, beside=beside) == []


def problems_of(path: str, data: bytes) -> Sequence[Problem]:
    """Search a file and give what is wrong with it; anything but an ImageError is a bug."""
    try:
        find({path: (Member(path, size=len(data)), data)}, metadata=Metadata(), context=Path("/nowhere"))
    except ImageError as error:
        return error.problems or [Problem("no problem was told")]
    return ()


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_whatever_a_file_holds_is_searched_or_refused_with_its_place(data: bytes) -> None:
    for path in ("manifests/a.yaml", "manifests/imageList", "manifests/imageRules", "manifests/b.yaml.tmpl"):
        problems = problems_of(path, data)
        assert [str(problem) for problem in problems if path not in str(problem)] == []


LEAVES = (
    st.none() | st.text(max_size=12) | st.sampled_from(["nginx:1", "quay.io/a/b:1", "$(x)", "{{ .X }}", "auto", "v1"])
)
NAMES = st.sampled_from([
    "apiVersion", "kind", "metadata", "annotations", "name", "spec", "containers", "image", "volumes", "reference",
    "env", "value", "args", "command", "data", "repository", "tag", "registry", "version", "baseImage", "<<", "items",
])  # fmt: skip
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5))
KINDS = st.sampled_from(
    ["v1/ConfigMap", "v1/Pod", "pingcap.com/v1/TidbCluster", "tekton.dev/v1/Task", "a.example/v1/X"]
)


@given(KINDS, TREES)
def test_whatever_shape_a_resource_has_it_is_searched_or_refused(kind: str, tree: object) -> None:
    version, _, name = kind.rpartition("/")
    resource = {"apiVersion": version, "kind": name, "spec": tree, "data": tree, "metadata": tree}
    problems = problems_of("manifests/a.json", json.dumps(resource).encode())
    assert [str(problem) for problem in problems if "manifests/a.json:1" not in str(problem)] == []
