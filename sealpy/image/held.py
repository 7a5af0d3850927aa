"""Which container images a cluster image holds, as its registry's data says: also for images that list none."""

from __future__ import annotations

import re
from collections.abc import Collection

from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT, repository

__all__ = ["held_images", "image_of_path"]

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


def image_of_path(path: str) -> str:
    """Name the container image that a file of the registry's data belongs to; empty for files of no single one."""
    found = _IN_REPOSITORY.match(path)
    return ":".join(filter(None, [found["name"], found["tag"]])) if found else ""


def _digest(image: ClusterImage, links: Collection[str]) -> str:
    return next((image.read(link).decode().strip() for link in links), "")
