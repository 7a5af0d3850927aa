"""What a file or a directory brings to the store: images, their names, and where the bytes of each digest stand.

Read are OCI archives and layouts, what `docker save` writes, and directories as skopeo writes them (`dir:`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealpy.errors import DigestMismatchError, ImageError
from sealpy.image.archive.contents import Blob, Contents, oci_path
from sealpy.image.archives import name_of, read_docker
from sealpy.image.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    digest_of,
    parse,
)
from sealpy.image.reference import Reference
from sealpy.image.tarball import read

__all__ = ["REFERRERS", "SINCE_DIGEST", "SINCE_NAME", "Goods", "Since"]

REFERRERS = "referrers.json"
"""Lists what refers to the image, such as signatures: in `index.json` other tools would take them for images."""
SINCE_NAME = "io.sealpy.since.name"
SINCE_DIGEST = "io.sealpy.since.digest"
_HINT = "take an OCI archive or layout, what 'docker save' writes, or what 'sealpy save' wrote"


@dataclass(frozen=True, slots=True)
class Since:
    """Name the image that the far side must have, for a delta; `name` as its sender wrote it."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Goods:
    """Hold the images of one archive, layout or directory; made by `Goods.open`.

    `entries` are images, and documents that refer to one of them; those without a name have the name None.
    """

    contents: Contents
    entries: tuple[tuple[Reference | None, Descriptor], ...]
    found: Mapping[str, Blob]
    since: Since | None = None

    @classmethod
    def open(cls, path: Path) -> Goods:
        """Read the list of what is there; raises ImageError for no such archive."""
        contents = Contents(path)
        if "index.json" in contents:
            return _oci(contents)
        if "version" in contents and "manifest.json" in contents:
            return _directory(contents)
        if "manifest.json" in contents:
            return _docker(contents)
        if "Metadata" in contents:
            hint = "unpack it, load each tar in it, and put them under one name by 'sealpy manifest create'"
            raise ImageError(f"{path}: several archives in one, as the ancestor saves a list of platforms", hint=hint)
        raise ImageError(f"{path}: holds no image: neither index.json nor manifest.json", hint=_HINT)

    def blob(self, digest: str) -> Blob | None:
        """Say where the bytes of a digest stand; None when they are not here."""
        if digest in self.found:
            return self.found[digest]
        path = oci_path(digest)
        return self.contents.blob(path, digest) if path in self.contents else None

    def document(self, digest: str) -> bytes:
        """Read a small blob and verify it."""
        blob = self.found.get(digest)
        if blob is None:
            return self.contents.document(digest)
        data = b"".join(read(blob.source, blob.size))
        if digest_of(data) != digest:
            raise DigestMismatchError(f"{self.contents.path}: blob {digest} is damaged", hint="save the image again")
        return data


def _oci(contents: Contents) -> Goods:
    index = parse(Index, contents.read("index.json"), what=f"{contents.path}: index.json")
    entries = [(name_of(entry.annotations or {}), entry) for entry in index.manifests]
    if REFERRERS in contents:
        what = f"{contents.path}: {REFERRERS}"
        entries += [(None, entry) for entry in parse(Index, contents.read(REFERRERS), what=what).manifests]
    told = index.annotations or {}
    since = Since(told[SINCE_NAME], told.get(SINCE_DIGEST, "")) if SINCE_NAME in told else None
    return Goods(contents, tuple(entries), {}, since)


def _docker(contents: Contents) -> Goods:
    found: dict[str, Blob] = {}
    entries = []
    for name, image in read_docker(contents):
        found |= {blob.digest: blob for blob in (image.manifest, image.config, *image.layers)}
        entries.append(
            (name, Descriptor(media_type=OCI_MANIFEST, digest=image.manifest.digest, size=image.manifest.size))
        )
    if not entries:
        message = f"{contents.path}: its layers are compressed, and it has no index.json that says their digests"
        raise ImageError(message, hint="save the image as an OCI archive")
    return Goods(contents, tuple(entries), found)


def _directory(contents: Contents) -> Goods:
    """Read what skopeo writes to `dir:`: the manifest, and each blob in a file that is named by its digest."""
    data = contents.read("manifest.json")
    try:
        media_type = str(json.loads(data).get("mediaType", OCI_MANIFEST))
    except (ValueError, AttributeError, RecursionError) as error:
        raise ImageError(f"{contents.path}: manifest.json is no manifest", hint=_HINT) from error
    found = {digest_of(data): Blob(digest_of(data), len(data), data)}
    if media_type in MANIFEST_TYPES:
        manifest = parse(Manifest, data, what=f"{contents.path}: manifest.json")
        parts: tuple[Descriptor, ...] = (manifest.config, *manifest.layers)
        names = {part.digest: part.digest.removeprefix("sha256:") for part in parts}
    elif media_type in INDEX_TYPES:
        names = {}
        for entry in parse(Index, data, what=f"{contents.path}: manifest.json").manifests:
            name = f"{entry.digest.removeprefix('sha256:')}.manifest.json"
            if name in contents:
                names[entry.digest] = name
                inner = parse(Manifest, contents.read(name), what=f"{contents.path}: {name}")
                names |= {p.digest: p.digest.removeprefix("sha256:") for p in (inner.config, *inner.layers)}
    else:
        raise ImageError(f"{contents.path}: type {media_type!r} is no image", hint=_HINT)
    found |= {digest: contents.blob(name, digest) for digest, name in names.items()}
    return Goods(contents, ((None, Descriptor(media_type=media_type, digest=digest_of(data), size=len(data))),), found)
