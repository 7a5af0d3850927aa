"""Container images in local archives: OCI archives, OCI layout directories and what `docker save` writes.

Nothing is unpacked: a blob is a range of bytes in the archive. Digests are verified by whoever reads the blobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealpy.errors import BadReferenceError, ImageError
from sealpy.image.archive.contents import Blob, Contents, oci_path
from sealpy.image.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_CONFIG,
    OCI_LAYER,
    REF_NAME,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    digest_of,
    encode,
    parse,
)
from sealpy.image.reference import Reference
from sealpy.image.tarball import read

__all__ = ["Blob", "ContainerImage", "Library", "name_of", "read_docker"]

_CONTAINERD_NAME = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """Hold one container image: its manifest, and the blobs that the manifest lists, configuration first.

    `index` is the list of platforms that led to the manifest, when there is one: references by digest may mean it.
    """

    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]
    index: Blob | None = None

    def top(self, reference: Reference) -> Blob:
        """Give the document that a reference means: the index when its digest says so, else the manifest."""
        return self.index if self.index and self.index.digest == reference.digest else self.manifest


class Library:
    """Find container images in a set of archives."""

    def __init__(self, paths: Sequence[Path], *, architecture: str) -> None:
        """Read the tables of contents of archives and layouts; a directory stands for all that are in it.

        Raises ImageError for a file that is no such archive.
        """
        self.paths = tuple(paths)
        self._by_name: dict[Reference, ContainerImage] = {}
        self._by_digest: dict[str, ContainerImage] = {}
        for path in _archives(paths):
            for name, image in _read_archive(path, architecture):
                self._by_digest[image.manifest.digest] = image
                if image.index:
                    self._by_digest[image.index.digest] = image
                if name:
                    self._by_name[name] = image

    @property
    def names(self) -> tuple[Reference, ...]:
        """List the names of the images that were found."""
        return tuple(sorted(self._by_name))

    def add(self, images: Mapping[Reference, ContainerImage]) -> None:
        """Have images too that came from elsewhere."""
        for reference, image in images.items():
            self._by_name[reference] = self._by_digest[reference.digest or image.manifest.digest] = image

    def find(self, reference: Reference) -> ContainerImage | None:
        """Find the image that a reference means; the digest decides where there is one."""
        if reference.digest:
            return self._by_digest.get(reference.digest)
        return self._by_name.get(reference)


def _archives(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir() or (path / "oci-layout").is_file():
            yield path
            continue
        for inner in sorted(path.iterdir()):
            if inner.name.endswith((".tar.gz", ".tgz", ".tar.zst", ".tar.xz")):
                raise ImageError(f"{inner}: a compressed archive", hint="unpack it: its layers are compressed already")
            if inner.suffix == ".tar" or (inner / "oci-layout").is_file():
                yield inner


def _read_archive(path: Path, architecture: str) -> Iterator[tuple[Reference | None, ContainerImage]]:
    contents = Contents(path)
    if "index.json" in contents:
        index = parse(Index, contents.read("index.json"), what=f"{path}: index.json")
        for entry in index.manifests:
            if image := _from_oci(contents, entry, architecture):
                yield name_of(entry.annotations or {}), image
    if "manifest.json" in contents:
        yield from read_docker(contents)
    elif "index.json" not in contents:
        hint = "take an OCI archive, an OCI layout or what 'docker save' writes"
        raise ImageError(f"{path}: holds no container images", hint=hint)


def _from_oci(contents: Contents, entry: Descriptor, architecture: str) -> ContainerImage | None:
    if entry.media_type in INDEX_TYPES:
        data = contents.document(entry.digest)
        for inner in parse(Index, data, what=f"{contents.path}: {entry.digest}").manifests:
            fits = inner.platform is None or (inner.platform.architecture, inner.platform.os) == (architecture, "linux")
            if fits and oci_path(inner.digest) in contents and (image := _from_oci(contents, inner, architecture)):
                index = Blob(entry.digest, len(data), data)
                return ContainerImage(image.manifest, image.config, image.layers, index)
        return None
    if entry.media_type not in MANIFEST_TYPES:
        return None
    data = contents.document(entry.digest)
    manifest = parse(Manifest, data, what=f"{contents.path}: {entry.digest}")
    config, *layers = (contents.blob(oci_path(d.digest), d.digest) for d in (manifest.config, *manifest.layers))
    return ContainerImage(Blob(entry.digest, len(data), data), config, tuple(layers))


def read_docker(contents: Contents) -> Iterator[tuple[Reference | None, ContainerImage]]:
    """Read what `docker save` writes: layers are plain tars there, and stay so; their digests are the diff ids."""
    try:
        listed: list[dict[str, Any]] = json.loads(contents.read("manifest.json"))
        described = [(str(e["Config"]), list(e["Layers"]), list(e["RepoTags"] or ())) for e in listed]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ImageError(f"{contents.path}: manifest.json is not what docker writes") from error
    for config_name, layer_names, tags in described:
        data = contents.read(config_name)
        diff_ids = parse(ImageConfig, data, what=f"{contents.path}: {config_name}").rootfs.diff_ids
        if len(diff_ids) != len(layer_names):
            raise ImageError(f"{contents.path}: {config_name} lists other layers than manifest.json")
        if any(_compressed(contents, name) for name in layer_names):
            continue  # a hybrid archive: index.json, read before, knows the digests of its layers
        layers = tuple(contents.blob(name, digest) for name, digest in zip(layer_names, diff_ids, strict=True))
        config = Blob(digest_of(data), len(data), data)
        manifest = encode(
            Manifest(
                config=Descriptor(media_type=OCI_CONFIG, digest=config.digest, size=config.size),
                layers=tuple(Descriptor(media_type=OCI_LAYER, digest=b.digest, size=b.size) for b in layers),
            )
        )
        image = ContainerImage(Blob(digest_of(manifest), len(manifest), manifest), config, layers)
        yield from ((_parsed(tag), image) for tag in tags or ("",))


def _compressed(contents: Contents, name: str) -> bool:
    blob = contents.blob(name, "")
    return next(read(blob.source, min(blob.size, 2)), b"")[:2] == b"\x1f\x8b"


def name_of(annotations: Mapping[str, str]) -> Reference | None:
    """Read the name that tools leave beside an image in an archive."""
    return _parsed(annotations.get(_CONTAINERD_NAME, "")) or _parsed(annotations.get(REF_NAME, ""))


def _parsed(text: str) -> Reference | None:
    with suppress(BadReferenceError):
        return Reference.parse(text)
    return None
