"""Several images as one: `sealpy merge`.

The layers of all are laid over each other, each once, so what they share is shared still. The result has exactly the
files of all: what one image hides of its own base does not hide it from another. A file that one image has from a layer
which the other image has too, and has laid another file over, is older, and gives way. Where two images still disagree,
about a file, a label, an app, that is a conflict, and somebody has to say that the later one counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from sealpy.errors import ImageError, Problem, counted
from sealpy.image.assemble import Layer, write_image, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry, merge
from sealpy.image.held import image_of_path
from sealpy.image.history import origins
from sealpy.image.manifest import Platform
from sealpy.image.metadata import KUBE_INSTALLER, Launch, Metadata
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Content, Member, Range, Source, ordered

__all__ = ["Conflict", "combine", "conflicts", "refuse"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Name what images disagree about, such as `file 'etc/x'`, and who of them says something of it."""

    what: str
    images: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.what}: not the same in {' and '.join(self.images)}"


def conflicts(images: Sequence[ClusterImage]) -> tuple[Conflict, ...]:
    """List everything that images say differently, files first."""
    found: dict[str, dict[object, str]] = defaultdict(dict)
    for image in images:
        name = f"'{image.reference.familiar}'"
        for what, said in _statements(image, images):
            found[what].setdefault(said, name)
    return tuple(Conflict(what, tuple(said.values())) for what, said in found.items() if len(said) > 1)


def refuse(found: Sequence[Conflict]) -> None:
    """Raise ImageError that names every conflict, if there is one."""
    if found:
        problems = [Problem(str(conflict)) for conflict in found]
        hint = "mend one of the images, or let the later one count: --conflicts last"
        raise ImageError(f"{counted(len(found), 'conflict')} between the images", problems=problems, hint=hint)


def combine(store: Store, images: Sequence[ClusterImage], tag: str | Reference) -> ClusterImage:
    """Make one image of several, name it and open it; where they disagree the later counts.

    Raises ImageError for images of several architectures.
    """
    architectures = {image.config.architecture: image.reference.familiar for image in images}
    if len(architectures) > 1:
        told = ", ".join(f"'{name}' for {architecture}" for architecture, name in architectures.items())
        raise ImageError(f"images for several architectures: {told}", hint="merge images of one architecture")
    first, *others = images
    with store.keeping():
        layers = _layers(store, first, others)
        platform = Platform(architecture=first.config.architecture)
        descriptor = write_image(store, base=first, layers=layers, metadata=_metadata(images), platform=platform)
        store.tag(tag, descriptor)
        return ClusterImage.open(store, tag)


def _statements(image: ClusterImage, images: Sequence[ClusterImage]) -> Iterator[tuple[str, object]]:
    for path, entry in _standing(image, images):
        name = image_of_path(path)
        what = f"container image {name!r}" if name and path.endswith("/current/link") else f"file {path!r}"
        yield what, "dir" if entry.kind == "dir" else _content(entry)
    metadata = image.metadata
    for kind, table in (("label", metadata.labels), ("env", metadata.env)):
        yield from ((f"{kind} {name!r}", value) for name, value in table.items())
    yield from ((f"app {app.name!r}", app.model_dump_json()) for app in metadata.applications)


def _standing(image: ClusterImage, images: Sequence[ClusterImage]) -> Iterator[tuple[str, Entry]]:
    """Give the files of an image that no other has replaced knowingly."""
    for path, entry in image.files.items():
        if entry.kind == "dir" or not any(_replaces(other, path, entry) for other in images):
            yield path, entry


def _replaces(image: ClusterImage, path: str, entry: Entry) -> bool:
    own = image.files.get(path)
    return own is not None and entry.layer in image.layers and _content(own) != _content(entry)


def _layers(store: Store, first: ClusterImage, others: Sequence[ClusterImage]) -> list[Layer]:
    """Give the layers over the first image, and one more where whiteouts would hide what an image brings."""
    lists = dict(first.layers)
    layers = []
    for image in others:
        made_by = dict(origins(image.config))
        for digest, entries in image.layers.items():
            if digest not in lists:
                size = store.blob_path(digest).stat().st_size
                layers.append(Layer(digest, size, tuple(entries), made_by.get(digest, "")))
                lists[digest] = entries
    images = (first, *others)
    wanted = merge([entry for _, entry in _standing(image, images)] for image in images)
    if content := _mended(store, merge(lists.values()), wanted):
        layers.append(replace(write_layer(store, content), made_by="sealpy merge"))
    return layers


def _mended(store: Store, stacked: Mapping[str, Entry], wanted: Mapping[str, Entry]) -> Content:
    """List what has to be laid over the stacked layers so that the files are those that are wanted."""
    content: Content = [
        (Member(f"{parent}/.wh.{name}" if parent else f".wh.{name}"), b"")
        for path in stacked.keys() - wanted.keys()
        for parent, _, name in [path.rpartition("/")]
        if not parent or (parent in wanted and wanted[parent].kind == "dir")  # else its directory goes
    ]
    content += [
        _copied(store, entry)
        for path, entry in wanted.items()
        if path not in stacked or _content(stacked[path]) != _content(entry)
    ]
    above = {str(parent) for member, _ in content for parent in PurePosixPath(member.path).parents} - {"."}
    return ordered([*(_copied(store, wanted[path]) for path in sorted(above)), *content])


def _copied(store: Store, entry: Entry) -> tuple[Member, Source]:
    return entry.member, Range(store.blob_path(entry.layer), entry.offset) if entry.kind == "file" else b""


def _content(entry: Entry) -> tuple[object, ...]:
    return (entry.kind, entry.mode, entry.sha256, entry.target, entry.uid, entry.gid)


def _metadata(images: Sequence[ClusterImage]) -> Metadata:
    all_ = [image.metadata for image in images]
    apps = {app.name: app for metadata in all_ for app in metadata.applications}
    uses = {use.model_dump_json(): use for metadata in all_ for use in metadata.container_images}
    launched = dict.fromkeys(name for metadata in all_ for name in metadata.launch.app_names)
    commands = dict.fromkeys(command for metadata in all_ for command in metadata.launch.cmds)
    return all_[0].model_copy(
        update={
            "type": KUBE_INSTALLER if any(metadata.type == KUBE_INSTALLER for metadata in all_) else all_[0].type,
            "applications": tuple(apps.values()),
            "labels": {name: value for metadata in all_ for name, value in metadata.labels.items()},
            "env": {name: value for metadata in all_ for name, value in metadata.env.items()},
            "launch": Launch(cmds=tuple(commands), app_names=tuple(launched)),
            "container_images": tuple(uses.values()),
        }
    )
