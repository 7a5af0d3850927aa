"""Put the container images that new files mention into a cluster image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sealpy.errors import DigestMismatchError, ImageError, Problem
from sealpy.image import registry_tree
from sealpy.image.archives import ContainerImage, Library
from sealpy.image.assemble import Layer, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.finding import Found
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import RegistryLayer
from sealpy.image.store import Store

__all__ = ["bundle"]


def bundle(
    store: Store,
    wanted: Found,
    *,
    library: Library,
    base: ClusterImage | None,
    progress: Progress,
) -> tuple[Layer, ...]:
    """Write the layers of the wanted images that the base does not hold yet.

    Raises ImageError that names every image which neither an archive nor the base holds, and DigestMismatchError for
    an archive that is damaged.
    """
    present = base.files if base else {}
    found: dict[Reference, ContainerImage] = {}
    missing: list[Reference] = []
    problems: list[Problem] = []
    for reference, places in wanted.mentions.items():
        image = library.find(reference)
        if image is None and not registry_tree.holds(present, reference):
            missing.append(reference)
            message = f"container image {reference.familiar!r}: in no archive"
            problems += [Problem(message, mention.place) for mention in places]
        elif image is not None and not _is_in(base, reference, image):
            found[reference] = image
    if missing:
        raise _missing(missing, problems, library)
    short = registry_tree.short_names(found, _taken(base))
    pieces = registry_tree.layers(found, short=short, present=present)
    return tuple(_write(store, piece, progress=progress) for piece in pieces)


def _is_in(base: ClusterImage | None, reference: Reference, image: ContainerImage) -> bool:
    """Tell whether the base holds this very image under this very name."""
    if base is None:
        return False
    if not registry_tree.holds(base.files, reference, digest=image.manifest.digest):
        return False
    link = registry_tree.tag_link(reference)
    return not reference.tag or (link in base.files and base.read(link).decode() == image.top(reference).digest)


def _taken(base: ClusterImage | None) -> dict[str, str]:
    """Map paths without domain, as the base serves them, to the domain they stand for."""
    if base is None:
        return {}
    references = [Reference.parse(use.image) for use in base.metadata.container_images]
    return registry_tree.taken_names(base.files, references)


def _write(store: Store, piece: RegistryLayer, *, progress: Progress) -> Layer:
    title, content, blobs = piece
    total = sum(member.size for member, _ in content)
    layer = write_layer(store, content, on_bytes=progress.step(title, total=total))
    seen = {f"sha256:{entry.sha256}" for entry in layer.entries}
    for blob in blobs:
        if blob.digest not in seen:
            hint = "save the container image into its archive again"
            raise DigestMismatchError(f"{title}: blob {blob.digest} is damaged in its archive", hint=hint)
    return replace(layer, made_by=f"container images: {title}")


def _missing(missing: Sequence[Reference], problems: Sequence[Problem], library: Library) -> ImageError:
    looked = ", ".join(str(path) for path in library.paths) or "no archives were given"
    hint = (
        "put their archives ('skopeo copy docker://NAME oci-archive:FILE.tar:NAME') into container-images/ "
        f"or name a directory with --container-images; looked in: {looked}"
    )
    return ImageError(f"{len(missing)} container image(s) are missing", problems=problems, hint=hint)
