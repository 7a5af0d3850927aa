"""Put the container images that new files mention into a cluster image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sealpy.errors import DigestMismatchError, ImageError, Problem
from sealpy.events import Emit, Warned
from sealpy.image import registry_tree
from sealpy.image.archives import ContainerImage, Library
from sealpy.image.assemble import Layer, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import Platform
from sealpy.image.metadata import ContainerImageUse
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import RegistryLayer
from sealpy.image.scan import Mention, is_scanned, mentions
from sealpy.image.store import Store
from sealpy.image.tarball import Member, Source, read

__all__ = ["Wanted", "bundle", "search"]

Files = Mapping[str, tuple[Member, Source]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold which container images are mentioned, and where, by reference."""

    mentions: Mapping[Reference, Sequence[Mention]] = field(default_factory=dict)

    def uses(self, architecture: str) -> tuple[ContainerImageUse, ...]:
        """Give them as the metadata of an image lists them."""
        platform = Platform(architecture=architecture)
        return tuple(
            ContainerImageUse(image=str(reference), appName=found[0].app, platform=platform)
            for reference, found in sorted(self.mentions.items())
        )


def search(files: Files, *, context: Path, ignored: Collection[Reference], emit: Emit) -> Wanted:
    """Find the container images that files of the rootfs mention; raises ImageError with every line that is wrong."""
    charts = _charts(files)
    for chart in sorted(charts):
        message = f"{chart}: container images of helm charts are not searched for"
        emit(Warned(message=message, hint="list them in manifests/imageList, one a line"))
    found: dict[Reference, list[Mention]] = defaultdict(list)
    problems: list[Problem] = []
    for path, (member, source) in sorted(files.items()):
        if not is_scanned(path) or any(path.startswith(f"{chart}/") for chart in charts) or member.kind != "file":
            continue
        mentioned, wrong = mentions(path, b"".join(read(source, member.size)), shown=_shown(path, source, context))
        problems += wrong
        for mention in mentioned:
            if mention.reference not in ignored:
                found[mention.reference].append(mention)
    if problems:
        message = f"{len(problems)} place(s) where container images cannot be told"
        raise ImageError(message, problems=problems, hint="mend these lines")
    return Wanted(found)


def bundle(
    store: Store,
    wanted: Wanted,
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
    uses = base.metadata.container_images if base else ()
    references = [Reference.parse(use.image) for use in uses]
    served = registry_tree.short_names(references, {})
    return {reference.path: reference.domain for reference in references if reference.path in served}


def _write(store: Store, piece: RegistryLayer, *, progress: Progress) -> Layer:
    title, content, blobs = piece
    total = sum(member.size for member, _ in content)
    layer = write_layer(store, content, on_bytes=progress.step(title, total=total))
    seen = {f"sha256:{entry.sha256}" for entry in layer.entries}
    for blob in blobs:
        if blob.digest not in seen:
            hint = "save the container image into its archive again"
            raise DigestMismatchError(f"{title}: blob {blob.digest} is damaged in its archive", hint=hint)
    return layer


def _missing(missing: Sequence[Reference], problems: Sequence[Problem], library: Library) -> ImageError:
    looked = ", ".join(str(path) for path in library.paths) or "no archives were given"
    hint = (
        "put their archives ('skopeo copy docker://NAME oci-archive:FILE.tar:NAME') into container-images/ "
        f"or name a directory with --container-images; looked in: {looked}"
    )
    return ImageError(f"{len(missing)} container image(s) are missing", problems=problems, hint=hint)


def _charts(files: Files) -> set[str]:
    return {str(PurePosixPath(path).parent) for path in files if path.rpartition("/")[2] == "Chart.yaml"} - {"."}


def _shown(path: str, source: Source, context: Path) -> str:
    """Name a file as its author knows it."""
    if isinstance(source, Path) and source.is_relative_to(context):
        return str(source.relative_to(context))
    return path
