"""Which container images files mention."""

from __future__ import annotations

import pytest

from sealpy.image.scan import is_scanned, mentions

POD = """
apiVersion: v1
kind: Pod
spec:
  initContainers: [{name: i, image: 'busybox:1'}]
  containers:
  - name: web
    image: "nginx:1.27"   # a comment
    env: [{name: image, value: not-this:1}]
  - image: quay.io/a/b@sha256:DIGEST
""".replace("DIGEST", "ab" * 32)


def found(path: str, text: str) -> list[tuple[str, int]]:
    mentioned, problems = mentions(path, text.encode())
    assert problems == []
    return [(m.reference.familiar, m.place.line) for m in mentioned]


def test_containers_of_pods_are_found_with_their_lines() -> None:
    digest = "ab" * 32
    assert found("manifests/x.yaml", POD) == [
        ("busybox:1", 5),
        ("nginx:1.27", 8),
        (f"quay.io/a/b@sha256:{digest}", 10),
    ]


def test_pod_templates_are_found_at_any_depth_and_in_every_document() -> None:
    text = "a: {b: {template: {spec: {containers: [{image: x:1}]}}}}\n---\n# nothing\n---\n" + POD
    assert [name for name, _ in found("manifests/x.yaml", text)][:2] == ["x:1", "busybox:1"]


def test_other_keys_called_image_are_not_taken() -> None:
    text = "spec: {image: x:1, cluster: {image: y:1}}\ndata:\n  t: |\n    containers: [{image: '{{ .Image }}'}]\n"
    assert found("manifests/x.yaml", text) == []


def test_aliases_and_odd_keys_do_no_harm() -> None:
    text = "a: &a {containers: [{image: x:1}], me: *a}\n? [1, 2]\n: *a\nvalue: =\n"
    assert found("manifests/x.yaml", text) == [("x:1", 1)]


def test_an_image_list_has_one_name_a_line_and_comments() -> None:
    assert found("manifests/imageList", "# all\n\nnginx:1\n  quay.io/a/b:2  # two\nx") == [
        ("nginx:1", 3),
        ("quay.io/a/b:2", 4),
        ("x:latest", 5),
    ]


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("manifests/imageList", "nginx:1\n$ docker pull x\n", "manifests/imageList:2: image name '$ docker pull x'"),
        ("manifests/x.yaml", "containers: [{image: '{{ .X }}'}]", "manifests/x.yaml:1: image name '{{ .X }}'"),
        ("manifests/x.yaml", "a: 1\nb: {\n", "manifests/x.yaml:3: not valid YAML"),
        ("manifests/x.yaml", "a: 1\n\tb: 2\n", "manifests/x.yaml:2: not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(path: str, text: str, problem: str) -> None:
    _, problems = mentions(path, text.encode())
    assert [str(p).startswith(problem) for p in problems] == [True], problems
    assert problems[0].hint


def test_the_app_is_known_by_the_directory() -> None:
    [mention], _ = mentions("application/apps/shop/a.yaml", b"containers: [{image: x:1}]")
    assert mention.app == "shop"


@pytest.mark.parametrize(
    ("path", "scanned"),
    [
        ("manifests/imageList", True),
        ("manifests/a/b.yml", True),
        ("application/apps/x/y.yaml", True),
        ("manifests/a.yaml.tmpl", False),
        ("etc/kubeadm.yml", False),
        ("manifests/imageList-lite", False),
    ],
)
def test_only_manifests_and_apps_are_searched(path: str, *, scanned: bool) -> None:
    assert is_scanned(path) is scanned
