"""The container images that a cluster image holds, as its registry's data says: also for images that list none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from sealpy.image.archive.contents import Blob
from sealpy.image.archives import ContainerImage
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import Index, Manifest, parse
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT, blob_path, repository
from sealpy.image.tarball import Range

__all__ = ["held_images", "image_of_path", "taken_out"]

_REPOSITORY = rf"{re.escape(ROOT)}/repositories/(?P<name>.+?)"
_TAG_LINK = re.compile(rf"{_REPOSITORY}/_manifests/tags/(?P<tag>[^/]+)/current/link")
_IN_REPOSITORY = re.compile(rf"{_REPOSITORY}/_(?:manifests|layers)(?:/tags/(?P<tag>[^/]+))?")


def held_images(image: ClusterImage) -> dict[str, str]:
    """Map the name of each container image to the digest it stands for ("" when its data is not in the image).

    Those that the image lists have their full name; others are called by their repository, which in images of the
    ancestor lacks the domain.
    """
    tags = {(m["name"], m["tag"]): path for path in image.files if (m := _TAG_LINK.fullmatch(path))}
    found: dict[str, str] = {}
    listed: set[tuple[str, str]] = set()
    for use in image.metadata.container_images:
        reference = Reference.parse(use.image)
        keys = [(name, reference.tag) for name in (repository(reference), reference.path)]
        listed.update(keys)
        found[str(reference)] = reference.digest or _digest(image, [tags[key] for key in keys if key in tags])
    for key, path in tags.items():
        if key not in listed:
            found[":".join(key)] = _digest(image, [path])
    return found


def taken_out(image: ClusterImage, wanted: Iterable[Reference]) -> dict[Reference, ContainerImage]:
    """Give those of the wanted container images that the image holds whole, with their bytes where they stand."""
    held = held_images(image)
    names = {reference: reference.digest or held.get(str(reference), "") for reference in wanted}
    found = {reference: _container(image, digest) for reference, digest in names.items() if digest}
    return {reference: container for reference, container in found.items() if container}


def _container(image: ClusterImage, digest: str) -> ContainerImage | None:
    index = None
    if (manifest := _blob(image, digest)) is None:
        return None
    data = image.read(blob_path(digest))
    if listed := parse(Index, data, what=f"container image {digest}").manifests:  # a manifest lists none
        inner = next((one for one in listed if blob_path(one.digest) in image.files), None)
        if inner is None:
            return None
        index, manifest, data = manifest, _blob(image, inner.digest), image.read(blob_path(inner.digest))
    document = parse(Manifest, data, what=f"container image {digest}")
    config, *layers = (_blob(image, one.digest) for one in (document.config, *document.layers))
    if manifest is None or config is None or None in layers:
        return None
    return ContainerImage(manifest, config, tuple(layer for layer in layers if layer), index)


def _blob(image: ClusterImage, digest: str) -> Blob | None:
    entry = image.files.get(blob_path(digest))
    return Blob(digest, entry.size, Range(image.store.blob_path(entry.layer), entry.offset)) if entry else None


def image_of_path(path: str) -> str:
    """Name the container image that a file of the registry's data belongs to; empty for files of no single one."""
    found = _IN_REPOSITORY.match(path)
    return ":".join(filter(None, [found["name"], found["tag"]])) if found else ""


def _digest(image: ClusterImage, links: Collection[str]) -> str:
    return next((image.read(link).decode().strip() for link in links), "")
