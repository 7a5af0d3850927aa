"""Cluster images as files, to be carried: archives and directories that any OCI tool reads.

Bytes are verified on their way out, and an archive appears under its name when it is whole. A delta leaves out what the
far side has already; it says which image that is.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sealpy.errors import ConfigError, ImageError, StoreError
from sealpy.image import tarball
from sealpy.image.archive.contents import Contents, oci_path
from sealpy.image.archive.formats import Format
from sealpy.image.archive.goods import REFERRERS, SINCE_DIGEST, SINCE_NAME
from sealpy.image.archive.parts import PartsWriter
from sealpy.image.beside import directory_beside, file_beside, require_parent
from sealpy.image.manifest import LAYOUT, MANIFEST_TYPES, REF_NAME, Descriptor, Index, Manifest, encode
from sealpy.image.store import Store
from sealpy.image.store.blobs import telling_full_disk
from sealpy.image.store.graph import platforms, reach
from sealpy.image.store.listing import StoredImage
from sealpy.image.tarball import Member

__all__ = ["Format", "Saved", "Shipment", "check_out", "pack", "save"]

_SKOPEO_VERSION = b"Directory Transport Version: 1.1\n"


@dataclass(frozen=True, slots=True)
class Saved:
    """Tell what was written: the files (of a directory, itself), their bytes, the bytes that the far side has."""

    files: tuple[Path, ...]
    size: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Shipment:
    """Hold what is to be written: the image, the documents that refer to it, the blobs that go along."""

    store: Store
    image: StoredImage
    documents: tuple[Descriptor, ...]
    blobs: tuple[Descriptor, ...]
    since: StoredImage | None = None
    left_out: int = 0

    @property
    def size(self) -> int:
        """Count the bytes of the blobs."""
        return sum(blob.size for blob in self.blobs)


def pack(store: Store, name: str, *, since: str = "", instead: Descriptor | None = None) -> Shipment:
    """Collect an image with all its platforms and the documents that refer to it, but for what `since` has.

    What is written under its name may be a copy of it `instead`. Raises StoreError for an image that is not here or not
    whole.
    """
    image, base = store.find(name), store.find(since) if since else None
    image = replace(image, descriptor=instead or image.descriptor)
    manifests = [d.digest for d, _ in platforms(image.descriptor, read=store.read, has=store.has)]
    referring = {d.digest: d for m in (image.descriptor.digest, *manifests) for d in store.referrers(m)}
    everything = {d.digest: d for d in reach(image.descriptor, *referring.values(), read=store.read, has=store.has)}
    for blob in everything.values():
        if not store.holds(blob):
            raise StoreError(f"blob {blob.digest}: not whole in {store.root}", hint="'sealpy store check' tells more")
    known = store.needed(base.descriptor) if base else set()
    blobs = [everything[digest] for digest in sorted(everything) if digest not in known]
    left_out = sum(blob.size for digest, blob in everything.items() if digest in known)
    return Shipment(store, image, tuple(referring.values()), tuple(blobs), base, left_out)


def save(
    shipment: Shipment,
    out: Path,
    *,
    format_: Format = Format.OCI_ARCHIVE,
    part_size: int = 0,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Saved:
    """Write a shipment; an archive in parts of at most `part_size` bytes, when that is given.

    Raises StoreError when a blob of the store is damaged, ConfigError for what cannot be written like this; then
    nothing is left. What a save that was killed left beside is taken away by the next one to the same name.
    """
    since = shipment.since.reference.familiar if shipment.since else ""
    check_out(out, format_, part_size=part_size, since=since)
    with shipment.store.keeping(), telling_full_disk(out.parent, hint="write to another disk, or make room there"):
        match format_:
            case Format.OCI_DIR:
                return _directory(shipment, out, _layout(shipment, Format.OCI_DIR), oci_path, on_bytes)
            case Format.DOCKER_DIR:
                return _directory(shipment, out, _skopeo(shipment), lambda d: d.removeprefix("sha256:"), on_bytes)
            case Format.OCI_ARCHIVE | Format.DOCKER_ARCHIVE:
                pieces = _archive(shipment, _layout(shipment, format_), on_bytes)
                return _parts(shipment, out, part_size, pieces) if part_size else _file(shipment, out, pieces)


def check_out(out: Path | str, format_: Format, *, part_size: int = 0, since: str = "") -> None:
    """Raise ConfigError for a place that cannot be written like this; of a text `-`, and a `/` at its end, count."""
    if out == "-":
        hint = "name a file, which gets its name when it is whole; './-' is one that is called '-'"
        raise ConfigError("'-': standard output takes no image", hint=hint)
    path, directory = Path(out), format_ in {Format.OCI_DIR, Format.DOCKER_DIR}
    if part_size and directory:
        raise ConfigError(f"{format_.value}: a directory has no parts", hint="leave out --part-size or --format")
    if since and format_ in {Format.DOCKER_DIR, Format.DOCKER_ARCHIVE}:
        message = f"{format_.value}: docker cannot load what is left out by --since"
        raise ConfigError(message, hint="use oci-archive or oci-dir")
    if directory and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path}: there already", hint="name a directory that is new or empty")
    if not directory and (path.is_dir() or str(out).endswith("/")):
        hint = f"name the file in it, such as '{path / 'image.tar'}', or take the format oci-dir"
        raise ConfigError(f"{out}: a directory, and {format_.value} is one file", hint=hint)
    if not directory and path.exists() and not path.is_file():  # such as /dev/stdout, which must not be replaced
        raise ConfigError(f"{path}: a device or a pipe", hint="name a file: it gets its name when it is whole")
    if not directory and not part_size:  # parts have names of their own
        _refuse_other_file(path)
    require_parent(path)


def _refuse_other_file(path: Path) -> None:
    """Raise ConfigError for a file with something in it that nobody would call an image to be replaced."""
    if path.exists() and path.stat().st_size and not _is_archive(path):
        hint = f"name another file, or, when nobody needs this one: rm {shlex.quote(str(path))}"
        raise ConfigError(f"{path}: there already, and no whole archive of an image", hint=hint)


def _is_archive(path: Path) -> bool:
    try:
        contents = Contents(path)
        if contents.parts:
            return False  # one of several, which are of no use without it
        if "oci-layout" in contents:
            return "index.json" in contents
        return "manifest.json" in contents and isinstance(json.loads(contents.read("manifest.json")), list)
    except (ImageError, ValueError, RecursionError):
        return False


def _layout(shipment: Shipment, format_: Format) -> dict[str, bytes]:
    """Give the documents of an OCI layout, and the one that docker looks for."""
    listing = shipment.image.descriptor.model_copy(update={"annotations": {REF_NAME: str(shipment.image.reference)}})
    told: Mapping[str, str] | None = None
    if shipment.since:
        told = {SINCE_NAME: str(shipment.since.reference), SINCE_DIGEST: shipment.since.descriptor.digest}
    documents = {"oci-layout": LAYOUT, "index.json": encode(Index(manifests=(listing,), annotations=told))}
    if shipment.documents:
        documents[REFERRERS] = encode(Index(manifests=shipment.documents))
    if format_ is Format.DOCKER_ARCHIVE:
        documents["manifest.json"] = _docker_list(shipment)
    return documents


def _docker_list(shipment: Shipment) -> bytes:
    _, manifest = _only_manifest(shipment)
    entry = {
        "Config": oci_path(manifest.config.digest),
        "RepoTags": [shipment.image.reference.familiar],
        "Layers": [oci_path(layer.digest) for layer in manifest.layers],
    }
    return json.dumps([entry], sort_keys=True, separators=(",", ":")).encode()


def _skopeo(shipment: Shipment) -> dict[str, bytes]:
    descriptor, _ = _only_manifest(shipment)
    return {"version": _SKOPEO_VERSION, "manifest.json": shipment.store.read(descriptor.digest)}


def _only_manifest(shipment: Shipment) -> tuple[Descriptor, Manifest]:
    store, image = shipment.store, shipment.image
    found = [*platforms(image.descriptor, read=store.read, has=store.has)]
    if len(found) != 1 or image.descriptor.media_type not in MANIFEST_TYPES:
        message = f"image '{image.reference.familiar}': it has {len(found)} platforms, and docker's formats hold one"
        raise ImageError(message, hint="use oci-archive or oci-dir")
    return found[0]


def _archive(shipment: Shipment, documents: Mapping[str, bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    for name, data in documents.items():
        yield tarball.header(Member(name, size=len(data))) + data + tarball.padding(len(data))
    for name in ("blobs", "blobs/sha256"):
        yield tarball.header(Member(name, "dir", 0o755))
    for blob in shipment.blobs:
        yield tarball.header(Member(oci_path(blob.digest), size=blob.size))
        for piece in _verified(shipment.store, blob):
            yield piece
            on_bytes(len(piece))
        yield tarball.padding(blob.size)
    yield tarball.END


def _verified(store: Store, blob: Descriptor) -> Iterator[bytes]:
    seen = hashlib.sha256()
    for piece in tarball.read(tarball.Range(store.blob_path(blob.digest)), blob.size):
        seen.update(piece)
        yield piece
    if f"sha256:{seen.hexdigest()}" != blob.digest:
        hint = "'sealpy store check' tells what to do"
        raise StoreError(f"blob {blob.digest}: damaged in {store.root}", hint=hint)


def _file(shipment: Shipment, out: Path, pieces: Iterator[bytes]) -> Saved:
    with file_beside(out) as file:
        for piece in pieces:
            file.write(piece)
    return Saved((out,), out.stat().st_size, shipment.left_out)


def _parts(shipment: Shipment, out: Path, size: int, pieces: Iterator[bytes]) -> Saved:
    with PartsWriter(out, size) as writer:
        for piece in pieces:
            writer.write(piece)
    return Saved((*writer.parts, out.with_name(f"{out.name}.sha256")), writer.total, shipment.left_out)


def _directory(
    shipment: Shipment,
    out: Path,
    documents: Mapping[str, bytes],
    place: Callable[[str], str],
    on_bytes: Callable[[int], None],
) -> Saved:
    """Write a directory under another name beside, and give it its own when it is whole."""
    with directory_beside(out) as beside:
        for name, data in documents.items():
            (beside / name).write_bytes(data)
        top = {name for name in documents if name == "manifest.json"} and shipment.image.descriptor.digest
        for blob in shipment.blobs:
            if blob.digest == top:
                continue  # it is manifest.json
            path = beside / place(blob.digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for piece in _verified(shipment.store, blob):
                    file.write(piece)
                    on_bytes(len(piece))
        beside.chmod(0o755)
        beside.replace(out)  # an empty directory of this name is replaced
    return Saved((out,), sum(path.stat().st_size for path in out.rglob("*") if path.is_file()), shipment.left_out)
