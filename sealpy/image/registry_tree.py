"""Container images as the files of a registry: `registry/` of the rootfs, in the layout of the distribution project.

    docker/registry/v2/blobs/sha256/ab/<hex>/data
    docker/registry/v2/repositories/<name>/_layers/sha256/<hex>/link
    docker/registry/v2/repositories/<name>/_manifests/revisions/sha256/<hex>/link
    docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/current/link
    docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/index/sha256/<hex>/link

`docker.io/library/nginx` is the repository `docker.io/library/nginx`, so that no two domains collide, and also
`library/nginx`, as the ancestor had it, when no other domain has that path. The ancestor has the second only, so there
two domains with one path were one image; containerd is told to ask for each domain below its own path.

Layers of the cluster image are cut so that an unchanged container image keeps its bytes: one for each set of container
images that share blobs, one for each image with its manifest, configuration and links, one for all short names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from sealpy.image.reference import Reference, registry_domain
from sealpy.image.tarball import Content, Member, ordered, walk

if TYPE_CHECKING:  # whoever looks a path up reads no archives
    from sealpy.image.archives import Blob, ContainerImage

__all__ = [
    "ROOT",
    "RegistryLayer",
    "blob_path",
    "holds",
    "layers",
    "repository",
    "short_names",
    "tag_link",
    "taken_names",
    "without_domain",
]

ROOT = "registry/docker/registry/v2"

RegistryLayer: TypeAlias = "tuple[str, Content, tuple[Blob, ...]]"
"""What the layer is, for people; its content; the blobs in it, whose digests are to be verified."""


def repository(reference: Reference) -> str:
    """Name the repository of an image in the cluster's registry, such as `docker.io/library/nginx`."""
    return f"{registry_domain(reference.domain)}/{reference.path}"


def holds(files: Collection[str], reference: Reference, *, digest: str = "") -> bool:
    """Tell whether a rootfs with these files holds an image (by this digest), under its full or its short name."""
    return any(
        path in files
        for name in (repository(reference), reference.path)
        for path in [
            _revision(name, reference.digest or digest) if reference.digest or digest else _tag(name, reference)
        ]
    )


def short_names(images: Collection[Reference], taken: Mapping[str, str]) -> set[str]:
    """Give the paths without domain under which images can be had; `taken` maps those of the base to their domains."""
    domains: dict[str, set[str]] = defaultdict(set)
    for reference in images:
        domains[reference.path].add(reference.domain)
    full = {repository(reference) for reference in images}
    return {
        path
        for path, found in domains.items()
        if len(found) == 1 and path not in full and taken.get(path, *found) in found
    }


def taken_names(files: Collection[str], images: Collection[Reference]) -> dict[str, str]:
    """Map the paths without domain that a rootfs uses for its images to their domain; "" where that is not one.

    A path that several domains have, or that stands there without anybody knowing its domain, is nobody's to give away.
    """
    domains: dict[str, set[str]] = defaultdict(set)
    for reference in images:
        domains[reference.path].add(reference.domain)
    known = {path: next(iter(found)) if len(found) == 1 else "" for path, found in domains.items()}
    return dict.fromkeys(without_domain(files, images), "") | known


def without_domain(files: Collection[str], images: Collection[Reference]) -> set[str]:
    """List the repositories of a rootfs that stand there by their path alone, as the ancestor's registry has them."""
    start = f"{ROOT}/repositories/"
    there = {path.removeprefix(start).partition("/_")[0] for path in files if path.startswith(start) and "/_" in path}
    short = {reference.path for reference in images if repository(reference) in there}
    domains = {"localhost", *(registry_domain(reference.domain) for reference in images)}
    firsts = {name: name.partition("/")[0] for name in there - short}
    return {name for name, first in firsts.items() if "." not in first and first not in domains}


def layers(
    images: Mapping[Reference, ContainerImage], *, short: Collection[str], present: Collection[str]
) -> Iterator[RegistryLayer]:
    """Cut images into layers, in an order that depends on their names alone; blobs that are `present` are left out."""
    users: dict[str, set[Reference]] = defaultdict(set)
    blobs: dict[str, Blob] = {}
    for reference, image in images.items():
        for blob in image.layers:
            if blob_path(blob.digest) not in present:
                users[blob.digest].add(reference)
                blobs[blob.digest] = blob
    groups: dict[tuple[Reference, ...], list[Blob]] = defaultdict(list)
    for digest in sorted(blobs):
        groups[tuple(sorted(users[digest]))].append(blobs[digest])
    for group, shared in sorted(groups.items()):
        yield (
            f"layers of {', '.join(reference.familiar for reference in group)}",
            ordered(_data_of(shared)),
            tuple(shared),
        )
    for reference, image in sorted(images.items(), key=lambda pair: pair[0]):
        own = tuple(blob for blob in (image.manifest, image.config, image.index) if blob)
        content = _data_of(own) + walk(_links(repository(reference), reference, image))
        yield reference.familiar, ordered(content), own
    links: dict[str, bytes] = {}
    for reference, image in images.items():
        if reference.path in short:
            links |= _links(reference.path, reference, image)
    if links:
        yield "short names", walk(links), ()


def _data_of(blobs: Collection[Blob]) -> Content:
    return [(Member(blob_path(blob.digest), size=blob.size), blob.source) for blob in blobs]


def _links(name: str, reference: Reference, image: ContainerImage) -> dict[str, bytes]:
    base = f"{ROOT}/repositories/{name}"
    top = image.top(reference).digest
    found: dict[str, bytes] = {}
    link: Callable[[str], bytes] = str.encode
    for blob in (image.config, *image.layers):
        found[f"{base}/_layers/{_slashed(blob.digest)}/link"] = link(blob.digest)
    for digest in {image.manifest.digest, top}:
        found[_revision(name, digest)] = link(digest)
    if reference.tag:
        tag = f"{base}/_manifests/tags/{reference.tag}"
        found[f"{tag}/current/link"] = link(top)
        found[f"{tag}/index/{_slashed(top)}/link"] = link(top)
    return found


def tag_link(reference: Reference) -> str:
    """Say which file of the rootfs holds the digest that a tag stands for."""
    return _tag(repository(reference), reference)


def _tag(name: str, reference: Reference) -> str:
    return f"{ROOT}/repositories/{name}/_manifests/tags/{reference.tag}/current/link"


def _revision(name: str, digest: str) -> str:
    return f"{ROOT}/repositories/{name}/_manifests/revisions/{_slashed(digest)}/link"


def blob_path(digest: str) -> str:
    """Say which file of the rootfs holds a blob."""
    algorithm, _, hex_ = digest.partition(":")
    return f"{ROOT}/blobs/{algorithm}/{hex_[:2]}/{hex_}/data"


def _slashed(digest: str) -> str:
    return digest.replace(":", "/")
