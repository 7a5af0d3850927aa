"""Container images for a cluster image, straight from their registries.

Of a list of platforms the document is kept, so that references by its digest hold, and of its images the one that is
wanted. A blob is not fetched when the store has it, by itself or inside any of its cluster images.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealpy.errors import ImageError, SealpyError
from sealpy.image import registry_tree
from sealpy.image.archive.contents import Blob
from sealpy.image.archives import ContainerImage
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import MANIFEST_TYPES, Descriptor, ImageConfig, Manifest, Platform, parse
from sealpy.image.metadata import read_metadata
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.remote.fetch import AT_ONCE, BlobFetcher
from sealpy.image.remote.parallel import Stop, at_once
from sealpy.image.remote.platforms import choose, named, platform_name
from sealpy.image.remote.pull import Documents, read_images, read_top
from sealpy.image.remote.remotes import Remotes, Sources
from sealpy.image.store import Store, graph
from sealpy.image.tarball import Range, Source, read

__all__ = ["Brought", "bring"]


@dataclass(frozen=True, slots=True)
class Brought:
    """Hold the container images that came, why others did not, and the bytes that were fetched."""

    images: Mapping[Reference, ContainerImage]
    failures: Mapping[Reference, SealpyError] = field(default_factory=dict)
    fetched: int = 0


@dataclass(frozen=True, slots=True)
class _Listed:
    """Hold what the registry says of one image."""

    sources: Sources
    manifest: Blob
    document: Manifest
    index: Blob | None


def bring(
    references: Sequence[Reference], *, store: Store, remotes: Remotes, platform: Platform, progress: Progress
) -> Brought:
    """Fetch container images for one platform; whoever calls keeps `store.keeping()` while it uses them.

    An image that its registry does not give is a failure, and no blob of any is fetched then: all failures are known at
    once. Raises StoreError for a full disk, and RemoteError or DigestMismatchError when a blob cannot be had.
    """
    listed, failures = _list(references, remotes, platform, progress)
    if failures:
        return Brought({}, failures)
    held = _held(store)
    fetcher = BlobFetcher(store)
    wanted = [
        (part, one.sources) for one in listed.values() for part in _parts(one.document) if part.digest not in held
    ]
    fetcher.fetch(wanted, progress=progress, title="container images")
    images = {reference: _image(one, store, held) for reference, one in listed.items()}
    others = {reference: _other_platform(image, platform) for reference, image in images.items()}
    failures = {reference: error for reference, error in others.items() if error}
    return Brought({} if failures else images, failures, fetcher.fetched)


def _list(
    references: Sequence[Reference], remotes: Remotes, platform: Platform, progress: Progress
) -> tuple[dict[Reference, _Listed], dict[Reference, SealpyError]]:
    """Read the manifests of all, many at once."""
    found: dict[Reference, _Listed] = {}
    failures: dict[Reference, SealpyError] = {}
    lock = threading.Lock()
    on_one = progress.step("lists of container images", total=len(references))

    def work(reference: Reference) -> None:
        try:
            one = _read(remotes.sources(reference), platform)
        except ImageError as error:
            with lock:
                failures[reference] = error
        else:
            with lock:
                found[reference] = one
                on_one(1)

    at_once(work, references, limit=AT_ONCE, stop=Stop())
    # in the order that they were asked for in, not that of their answers
    return (
        {reference: found[reference] for reference in references if reference in found},
        {reference: failures[reference] for reference in references if reference in failures},
    )


def _read(sources: Sources, platform: Platform) -> _Listed:
    documents = Documents(sources)
    top = read_top(documents)
    if top.media_type in MANIFEST_TYPES:
        return _Listed(sources, _document(documents, top), documents.manifest(top), None)
    entries = choose(documents.index(top), [platform], what=sources.reference.familiar)
    [(entry, manifest)] = read_images(documents, entries)
    return _Listed(sources, _document(documents, entry), manifest, _document(documents, top))


def _document(documents: Documents, descriptor: Descriptor) -> Blob:
    data = documents.read[descriptor.digest][0]
    return Blob(descriptor.digest, len(data), data)


def _parts(manifest: Manifest) -> tuple[Descriptor, ...]:
    return (manifest.config, *manifest.layers)


def _image(one: _Listed, store: Store, held: Mapping[str, Source]) -> ContainerImage:
    config, *layers = (
        Blob(part.digest, part.size, held.get(part.digest) or Range(store.blob_path(part.digest)))
        for part in _parts(one.document)
    )
    return ContainerImage(one.manifest, config, tuple(layers), one.index)


def _other_platform(image: ContainerImage, platform: Platform) -> SealpyError | None:
    """Tell of an image without a list of platforms that is for another one than is wanted."""
    if image.index:
        return None
    data = b"".join(read(image.config.source, image.config.size))
    config = parse(ImageConfig, data, what=f"configuration {image.config.digest}")
    found = Platform(architecture=config.architecture, os=config.os)
    if named(found, platform):
        return None
    message = f"it is for {platform_name(found)} alone, not for {platform_name(platform)}"
    return ImageError(message, hint="name an image for this platform")


def _held(store: Store) -> dict[str, Source]:
    """Map the digests of all blobs of container images that cluster images of the store hold to where they stand."""
    found: dict[str, Source] = {}
    for stored in store.images():
        try:
            for descriptor, manifest in graph.platforms(stored.descriptor, read=store.read, has=store.has):
                found |= _held_by(store, stored.reference, descriptor, manifest)
        except ImageError:  # an image that is damaged costs bytes here, and is told by `store check`
            continue
    return found


def _held_by(store: Store, name: Reference, descriptor: Descriptor, manifest: Manifest) -> dict[str, Source]:
    if not read_metadata(manifest, ImageConfig()).container_images:
        return {}
    image = ClusterImage.of(store, name, descriptor)
    prefix = f"{registry_tree.ROOT}/blobs/"
    return {
        f"sha256:{path.split('/')[-2]}": Range(store.blob_path(entry.layer), entry.offset)
        for path, entry in image.files.items()
        if path.startswith(f"{prefix}sha256/") and path.endswith("/data") and entry.kind == "file"
    }
