"""Put the container images that new files mention into a cluster image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sealpy.errors import DigestMismatchError, ImageError, Problem, SealpyError, counted
from sealpy.image import registry_tree
from sealpy.image.archives import ContainerImage, Library
from sealpy.image.assemble import Layer, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.finding import Found
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import RegistryLayer
from sealpy.image.store import Store

__all__ = ["absent", "bundle"]


def absent(wanted: Found, *, library: Library, base: ClusterImage | None) -> tuple[Reference, ...]:
    """List the wanted images that neither an archive nor the base holds."""
    present = base.files if base else {}
    return tuple(
        reference
        for reference in wanted.mentions
        if not library.find(reference) and not registry_tree.holds(present, reference)
    )


def bundle(
    store: Store,
    wanted: Found,
    *,
    library: Library,
    base: ClusterImage | None,
    progress: Progress,
    failures: Mapping[Reference, SealpyError] | None = None,
) -> tuple[Layer, ...]:
    """Write the layers of the wanted images that the base does not hold yet.

    `failures` are why images did not come from their registries. Raises ImageError that names every image which
    neither an archive nor the base holds, and DigestMismatchError for an archive that is damaged.
    """
    present = base.files if base else {}
    found: dict[Reference, ContainerImage] = {}
    if missing := absent(wanted, library=library, base=base):
        raise _missing(missing, wanted, library, failures or {})
    for reference in wanted.mentions:
        image = library.find(reference)
        if image is not None and not _is_in(base, reference, image):
            found[reference] = image
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


def _missing(
    missing: Sequence[Reference], wanted: Found, library: Library, failures: Mapping[Reference, SealpyError]
) -> ImageError:
    if failures:
        first = next(iter(failures.values()))
        told = {reference: str(error) for reference, error in failures.items()}
        message = f"{counted(len(failures), 'container image')} did not come from their registries"
        return ImageError(message, problems=_problems(failures, wanted, told), hint=first.hint)
    problems = _problems(missing, wanted, dict.fromkeys(missing, "in no archive"))
    looked = ", ".join(str(path) for path in library.paths) or "no archives were given"
    hint = (
        "put their archives ('skopeo copy docker://NAME oci-archive:FILE.tar:NAME') into container-images/ "
        f"or name a directory with --container-images; looked in: {looked}"
    )
    return ImageError(f"{len(missing)} container image(s) are missing", problems=problems, hint=hint)


def _problems(references: Iterable[Reference], wanted: Found, why: Mapping[Reference, str]) -> list[Problem]:
    """Tell of each image at every place that names it, in the order of the places."""
    found = [(mention.place, reference) for reference in references for mention in wanted.mentions[reference]]
    found.sort(key=lambda pair: (str(pair[0].file), pair[0].line, pair[0].column, pair[1]))
    return [Problem(f"container image {reference.familiar!r}: {why[reference]}", place) for place, reference in found]
