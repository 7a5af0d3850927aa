"""Container images as the files of a registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sealpy.image.archives import ContainerImage, Library
from sealpy.image.container import write_container_image
from sealpy.image.manifest import digest_of
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT, holds, layers, short_names, taken_names, without_domain
from sealpy.image.tarball import Tree, write

BASE = {"lib/base": b"shared by several"}


def ref(text: str) -> Reference:
    return Reference.parse(text)


def images(directory: Path, described: Mapping[str, Sequence[Tree]]) -> dict[Reference, ContainerImage]:
    for number, (name, trees) in enumerate(described.items()):
        write_container_image(directory / f"{number}.tar", reference=name, layers=trees)
    library = Library([directory], architecture="amd64")
    found = {ref(name): library.find(ref(name)) for name in described}
    return {name: image for name, image in found.items() if image}


def cut(found: Mapping[Reference, ContainerImage], *, present: Sequence[str] = ()) -> dict[str, str]:
    """Give title → digest of each layer."""
    short = short_names(found, {})
    return {
        title: digest_of(b"".join(write(content))) for title, content, _ in layers(found, short=short, present=present)
    }


def paths(found: Mapping[Reference, ContainerImage]) -> set[str]:
    cut_layers = layers(found, short=short_names(found, {}), present=())
    return {member.path for _, content, _ in cut_layers for member, _ in content if member.kind == "file"}


def test_an_image_is_linked_under_its_whole_name_and_its_path(tmp_path: Path) -> None:
    found = images(tmp_path, {"nginx:1": [{"a": b"1"}]})
    manifest, layer = found[ref("nginx:1")].manifest.digest[7:], found[ref("nginx:1")].layers[0].digest[7:]
    seen = paths(found)
    assert f"{ROOT}/blobs/sha256/{layer[:2]}/{layer}/data" in seen
    for name in ("docker.io/library/nginx", "library/nginx"):
        base = f"{ROOT}/repositories/{name}"
        assert {path.removeprefix(f"{base}/") for path in seen if path.startswith(f"{base}/")} >= {
            f"_layers/sha256/{layer}/link",
            f"_manifests/revisions/sha256/{manifest}/link",
            "_manifests/tags/1/current/link",
            f"_manifests/tags/1/index/sha256/{manifest}/link",
        }


def test_one_changed_image_of_three_changes_only_its_own_layers(tmp_path: Path) -> None:
    described: dict[str, list[Tree]] = {f"{n}:1": [BASE, {n: b"own"}] for n in ("a", "b", "c")}
    before = cut(images(tmp_path / "before", described))
    described["b:1"] = [BASE, {"b": b"new"}]
    after = cut(images(tmp_path / "after", described))
    assert list(before) == [
        "layers of a:1",
        "layers of a:1, b:1, c:1",
        "layers of b:1",
        "layers of c:1",
        "a:1",
        "b:1",
        "c:1",
        "short names",
    ]
    assert {title for title in before if before[title] != after[title]} == {"layers of b:1", "b:1", "short names"}


def test_every_blob_is_in_one_layer_only(tmp_path: Path) -> None:
    found = images(tmp_path, {n: [BASE, {n: b"own"}] for n in ("a:1", "b:1")})
    blobs = [
        member.path
        for _, content, _ in layers(found, short=(), present=())
        for member, _ in content
        if "/blobs/" in member.path and member.kind == "file"
    ]
    assert len(blobs) == len(set(blobs)) == 3 + 2 * 2


def test_blobs_that_are_there_already_are_left_out(tmp_path: Path) -> None:
    found = images(tmp_path, {"a:1": [BASE]})
    [blob] = found[ref("a:1")].layers
    present = f"{ROOT}/blobs/sha256/{blob.digest[7:9]}/{blob.digest[7:]}/data"
    assert len(cut(found)) == len(cut(found, present=[present])) + 1


@pytest.mark.parametrize(
    ("names", "taken", "short"),
    [
        (["nginx:1", "nginx:2"], {}, {"library/nginx"}),
        (["quay.io/a/b:1", "ghcr.io/a/b:1", "ghcr.io/a/c:1"], {}, {"a/c"}),
        (["quay.io/a/b:1"], {"a/b": "ghcr.io"}, set()),
        (["quay.io/a/b:1"], {"a/b": "quay.io"}, {"a/b"}),
        (["quay.io/docker.io/a/b:1", "a/b:1"], {}, {"a/b"}),
    ],
)
def test_a_path_alone_is_a_name_when_only_one_domain_has_it(
    names: list[str], taken: dict[str, str], short: set[str]
) -> None:
    assert short_names([ref(name) for name in names], taken) == short


def test_a_rootfs_is_asked_for_an_image_by_tag_or_digest(tmp_path: Path) -> None:
    found = images(tmp_path, {"sea.hub:5000/x:1": [{"a": b"1"}]})
    [image] = found.values()
    seen = paths(found)
    assert f"{ROOT}/repositories/sea.hub_5000/x/_manifests/tags/1/current/link" in seen
    assert holds(seen, ref("sea.hub:5000/x:1"))
    assert holds(seen, ref(f"sea.hub:5000/x@{image.manifest.digest}"))
    assert holds(seen, ref("sea.hub:5000/x:1"), digest=image.manifest.digest)
    assert not holds(seen, ref("sea.hub:5000/x:2"))
    assert not holds(seen, ref("sea.hub:5000/x:1"), digest="sha256:" + "0" * 64)


def test_two_domains_with_one_path_are_two_images(tmp_path: Path) -> None:
    found = images(tmp_path, {"x/y:1": [{"f": b"of docker.io"}], "quay.io/x/y:1": [{"f": b"of quay.io"}]})
    links: dict[str, bytes] = {}
    for _, content, _ in layers(found, short=short_names(found, {}), present=()):
        links |= {member.path: source for member, source in content if isinstance(source, bytes) and source}
    start, end = f"{ROOT}/repositories/", "/_manifests/tags/1/current/link"
    tags = {path[len(start) : -len(end)]: data.decode() for path, data in links.items() if path.endswith(end)}
    assert tags == {
        "docker.io/x/y": found[ref("x/y:1")].manifest.digest,
        "quay.io/x/y": found[ref("quay.io/x/y:1")].manifest.digest,
    }
    assert len(set(tags.values())) == 2


REPOSITORY = f"{ROOT}/repositories/{{}}/_manifests/tags/1/current/link"


@pytest.mark.parametrize(
    ("repositories", "names", "alone"),
    [
        (["library/nginx", "calico/node"], [], {"library/nginx", "calico/node"}),
        (["library/nginx"], ["nginx:1"], {"library/nginx"}),
        (["library/nginx", "docker.io/library/nginx"], ["nginx:1"], set()),
        (["docker.io/library/nginx", "calico/node"], ["nginx:1", "quay.io/calico/node:1"], {"calico/node"}),
        (["registry_5000/x", "user_5000/x"], ["registry:5000/x:1"], {"user_5000/x"}),
        (["quay.io/a/b", "localhost/a"], [], set()),
    ],
)
def test_repositories_of_the_ancestor_are_told_by_having_no_domain(
    repositories: list[str], names: list[str], alone: set[str]
) -> None:
    files = {REPOSITORY.format(name) for name in repositories} | {"etc/x", f"{ROOT}/blobs/sha256/ab/abc/data"}
    assert without_domain(files, [ref(name) for name in names]) == alone


def test_a_path_of_the_base_is_given_to_no_other_domain() -> None:
    base = {REPOSITORY.format(name) for name in ("library/old", "docker.io/a/b", "a/b", "docker.io/c", "quay.io/c")}
    taken = taken_names(base, [ref("a/b:1"), ref("docker.io/c/c:1"), ref("quay.io/c/c:1")])
    assert taken == {"library/old": "", "a/b": "docker.io", "c/c": ""}
    added = [ref("quay.io/library/old:2"), ref("quay.io/a/b:2"), ref("ghcr.io/c/c:2"), ref("quay.io/new/one:2")]
    assert short_names(added, taken) == {"new/one"}
