"""Make a cluster image out of layers: write layers into the store, then the documents over them."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sealpy.errors import ImageError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import INDEX_PATH, Entry, encode_index
from sealpy.image.history import origins, without_login
from sealpy.image.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    HistoryEntry,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    RootFS,
    RunConfig,
    encode,
)
from sealpy.image.metadata import Metadata, to_annotations
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import END, Member, Source, flaw, header, padding, read

__all__ = ["Layer", "assemble", "host_architecture", "write_image", "write_index", "write_layer"]

_LISTS = HistoryEntry(created_by="sealpy: the lists of all files")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold a layer that is in the store: a plain tar, so its digest is its diff id, and the entries in it.

    `made_by` is what the history of the image says of it, such as the instruction.
    """

    digest: str
    size: int
    entries: tuple[Entry, ...]
    made_by: str = ""


def host_architecture() -> str:
    """Name the processor of this machine in Go's words, such as `amd64`."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def write_layer(
    store: Store, content: Iterable[tuple[Member, Source]], *, on_bytes: Callable[[int], None] | None = None
) -> Layer:
    """Write a layer while hashing it and each file in it, reading every file once.

    `content` must be sorted, parents first. `on_bytes` receives the number of bytes of each piece. Raises ImageError
    for a file that changes meanwhile.
    """
    entries: list[Entry] = []
    with store.blob() as blob:
        for member, source in content:
            if why := flaw(member.path, member.target):
                raise ImageError(why, hint="rename it, or copy what it points to, and build again")
            blob.write(header(member))
            offset, file_hash = blob.size, hashlib.sha256()
            if member.kind == "file":
                for piece in read(source, member.size):
                    file_hash.update(piece)
                    blob.write(piece)
                    if on_bytes:
                        on_bytes(len(piece))
                if blob.size - offset != member.size:
                    raise ImageError(f"{member.path}: changed while it was read", hint="build again when it is still")
                blob.write(padding(member.size))
            entries.append(_entry(member, file_hash.hexdigest(), offset))
        blob.write(END)
        digest = blob.commit()
        return Layer(digest, blob.size, tuple(entries))


def assemble(
    store: Store,
    tag: str | Reference,
    *,
    base: ClusterImage | None,
    layers: Sequence[Layer],
    metadata: Metadata,
    architecture: str = "amd64",
) -> ClusterImage:
    """Put layers on a base, write the documents, name the image and open it. The same input gives the same digest."""
    platform = Platform(architecture=architecture)
    with store.keeping():
        store.tag(tag, write_image(store, base=base, layers=layers, metadata=metadata, platform=platform))
        return ClusterImage.open(store, tag)


def write_image(
    store: Store,
    *,
    base: ClusterImage | None,
    layers: Sequence[Layer],
    metadata: Metadata,
    platform: Platform,
    annotations: Mapping[str, str] = MappingProxyType({}),
) -> Descriptor:
    """Put layers on a base and write the documents; the image has no name yet."""
    lists: dict[str, Sequence[Entry]] = dict(base.layers) if base else {}
    descriptors = dict(zip(base.config.rootfs.diff_ids, base.manifest.layers, strict=True)) if base else {}
    made_by = dict(origins(base.config)) if base else {}
    for layer in layers:
        lists.pop(layer.digest, None)  # a layer that comes again counts where it comes last
        lists[layer.digest] = layer.entries
        descriptors[layer.digest] = Descriptor(media_type=OCI_LAYER, digest=layer.digest, size=layer.size)
        made_by[layer.digest] = without_login(layer.made_by)
    index = _index_layer(store, lists)
    config = ImageConfig(
        architecture=platform.architecture,
        os=platform.os,
        variant=platform.variant,
        config=RunConfig(Env=tuple(f"{k}={v}" for k, v in metadata.env.items()), Labels=metadata.labels),
        rootfs=RootFS(diff_ids=(*lists, index.digest)),
        history=(*(HistoryEntry(created_by=made_by.get(digest) or None) for digest in lists), _LISTS),
    )
    top = Descriptor(media_type=OCI_LAYER, digest=index.digest, size=index.size)
    manifest = Manifest(
        config=store.put(encode(config), media_type=OCI_CONFIG),
        layers=(*(descriptors[digest] for digest in lists), top),
        annotations={**annotations, **to_annotations(metadata)},
    )
    descriptor = store.put(encode(manifest), media_type=OCI_MANIFEST)
    return descriptor.model_copy(update={"platform": platform})


def write_index(store: Store, images: Sequence[Descriptor]) -> Descriptor:
    """Write the list of images that are one for several platforms."""
    return store.put(encode(Index(manifests=tuple(images))), media_type=OCI_INDEX)


def _entry(member: Member, sha256: str, offset: int) -> Entry:
    entry = Entry(member.path, member.kind, member.mode, target=member.target, uid=member.uid, gid=member.gid)
    return entry if member.kind != "file" else replace(entry, size=member.size, sha256=sha256, offset=offset)


def _index_layer(store: Store, lists: Mapping[str, Sequence[Entry]]) -> Layer:
    data = encode_index(lists)
    directory, _, _ = INDEX_PATH.partition("/")
    return write_layer(store, [(Member(directory, "dir", 0o755), b""), (Member(INDEX_PATH, size=len(data)), data)])
