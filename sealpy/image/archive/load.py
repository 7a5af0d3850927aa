"""Take images out of files and directories into the store.

First it is told what is missing and whether there is room, before a byte is written. Then each blob is verified on its
way in; those that are here already are not read. A load that was cut goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from sealpy.errors import DigestMismatchError, ImageError, Problem, counted
from sealpy.image.archive.contents import Blob
from sealpy.image.archive.goods import Goods
from sealpy.image.archive.parts import Parts
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, Manifest, parse
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.store.graph import platforms, reach
from sealpy.image.tarball import behind, read

__all__ = ["Begin", "load"]

Begin = Callable[[int], Callable[[int], None]]
"""Takes the number of bytes that will be written; gives what takes the number of bytes of each piece."""

_SHOWN = 3  # blobs that are named when many are missing: mostly all of a base
_AGAIN = "copy it again, then load again: what was verified is not read twice"


def load(
    store: Store, path: Path, *, tag: str | Reference | None = None, begin: Begin = lambda _: lambda _: None
) -> tuple[ClusterImage, ...]:
    """Take the images of a file or directory into the store, under the names they have there, or as `tag`.

    Raises ImageError for what is no image, or a delta whose base is not here, DigestMismatchError for bytes that are
    not what their digest says, StoreError when there is no room. No name is given then. Blobs that were verified stay
    for the next try, unless the image itself is to blame.
    """
    goods = _goods(path)
    before = store.blobs()
    try:
        return _take(store, goods, tag, begin)
    except DigestMismatchError as error:  # the carrier is to blame: what was verified is good
        raise _blamed(goods, error) from error
    except (ImageError, OSError):
        store.discard(store.blobs() - before)
        raise


def _take(store: Store, goods: Goods, tag: str | Reference | None, begin: Begin) -> tuple[ClusterImage, ...]:
    with store.keeping():
        images, documents = _entries(store, goods, tag)
        wanted = _wanted(store, goods)
        store.refuse_without_room((blob.digest, blob.size) for blob in wanted)
        count = begin(sum(blob.size for blob in wanted))
        for blob in sorted(wanted, key=_place):  # as they stand in the archive
            _copy(store, blob, count)
        opened = [_opened(store, name, descriptor) for name, descriptor in images]
        for name, descriptor in images:
            store.tag(name, descriptor)
        for document, subject in documents:
            store.attach(document, subject=subject)
    return tuple(opened)


def _entries(
    store: Store, goods: Goods, tag: str | Reference | None
) -> tuple[list[tuple[Reference, Descriptor]], list[tuple[Descriptor, str]]]:
    """Tell images, with their names, from documents that refer to one, with its digest."""
    images: list[tuple[Reference | None, Descriptor]] = []
    documents: list[tuple[Descriptor, str]] = []
    for name, entry in goods.entries:
        if entry.media_type not in INDEX_TYPES | MANIFEST_TYPES:
            message = f"{goods.contents.path}: {entry.digest}: type {entry.media_type!r} is no image"
            raise ImageError(message, hint="get the image again")
        subject = _subject(store, goods, entry) if name is None else ""
        if subject:
            documents.append((entry, subject))
        else:
            images.append((name, entry))
    if not images:
        raise ImageError(f"{goods.contents.path}: holds no image", hint="make one with 'sealpy save NAME -o FILE'")
    if tag and len({entry.digest for _, entry in images}) > 1:
        names = ", ".join(name.familiar if name else "one without a name" for name, _ in images)
        raise ImageError(f"{goods.contents.path}: holds several images: {names}", hint="leave out --tag")
    return [(_named(goods, name, tag), entry) for name, entry in images], documents


def _named(goods: Goods, name: Reference | None, tag: str | Reference | None) -> Reference:
    if tag:
        return tag if isinstance(tag, Reference) else Reference.parse(tag)
    if name:
        return name
    raise ImageError(f"{goods.contents.path}: its image has no name", hint="give it one: --tag NAME")


def _subject(store: Store, goods: Goods, entry: Descriptor) -> str:
    if entry.media_type not in MANIFEST_TYPES:
        return ""
    data = _reader(store, goods)(entry.digest)
    subject = parse(Manifest, data, what=f"{goods.contents.path}: {entry.digest}").subject
    return subject.digest if subject else ""


def _reader(store: Store, goods: Goods) -> Callable[[str], bytes]:
    def document(digest: str) -> bytes:
        return goods.document(digest) if goods.blob(digest) else store.read(digest)

    return document


def _wanted(store: Store, goods: Goods) -> list[Blob]:
    """List what is to be written; raises ImageError when there is something in neither place, or of another size."""
    tops = [entry for _, entry in goods.entries]
    everything = reach(*tops, read=_reader(store, goods), has=lambda d: goods.blob(d) is not None or store.has(d))
    wanted: list[Blob] = []
    missing: list[Descriptor] = []
    for part in _checked(goods, everything):
        if store.holds(part):
            continue
        if blob := goods.blob(part.digest):
            wanted.append(blob)
        else:
            missing.append(part)
    if missing:
        raise _missing(store, goods, missing)
    return wanted


def _checked(goods: Goods, parts: Iterator[Descriptor]) -> Iterator[Descriptor]:
    for part in parts:
        blob = goods.blob(part.digest)
        if blob and blob.size != part.size:
            message = (
                f"{goods.contents.path}: blob {part.digest}: {blob.size} bytes, not {part.size} as its manifest says"
            )
            raise ImageError(message, hint="get the image from who made it")
        yield part


def _missing(store: Store, goods: Goods, missing: list[Descriptor]) -> ImageError:
    """Name what is lacking: of a delta the image that it was made to, with the first digests and the count."""
    problems = [Problem(f"blob {part.digest}: {part.size} bytes, missing") for part in missing[:_SHOWN]]
    if more := missing[_SHOWN:]:
        problems.append(Problem(f"and {counted(len(more), 'blob')} more, {sum(part.size for part in more)} bytes"))
    count = f"{counted(len(missing), 'blob')} ({sum(part.size for part in missing)} bytes)"
    if not goods.since:
        return ImageError(
            f"{goods.contents.path}: {count} missing in it", problems=problems, hint="save the image again"
        )
    base = Reference.parse(goods.since.name).familiar
    message = f"{goods.contents.path}: a delta to '{base}' ({goods.since.digest}), of which {count} are not here"
    there = [image.descriptor.digest for image in store.images() if image.reference.familiar == base]
    other = f"'{base}' here is another one, {there[0]}; " if there and there[0] != goods.since.digest else ""
    hint = f"{other}load or pull '{base}' first, or carry the image without --since"
    return ImageError(message, problems=problems, hint=hint)


def _place(blob: Blob) -> int:
    return getattr(blob.source, "offset", 0)


def _copy(store: Store, blob: Blob, count: Callable[[int], None]) -> None:
    with store.partial(blob.digest) as writer:
        if store.has(blob.digest) and store.blob_path(blob.digest).stat().st_size == blob.size:
            return  # another load brought it while we waited
        begun = 0 < writer.size <= blob.size
        if not begun:
            writer.restart()
        for piece in read(behind(blob.source, writer.size), blob.size - writer.size):
            writer.write(piece)
            count(len(piece))
        try:
            writer.commit(blob.digest)
        except DigestMismatchError:
            if not begun:
                raise
            for piece in read(blob.source, blob.size):  # what the last try left was wrong
                writer.write(piece)
            writer.commit(blob.digest)


def _opened(store: Store, name: Reference, descriptor: Descriptor) -> ClusterImage:
    """Look into every platform of an image; gives the one that a cluster would be made of."""
    for manifest, _ in platforms(descriptor, read=store.read, has=store.has):
        ClusterImage.of(store, name, manifest)
    return ClusterImage.of(store, name, descriptor)


def _goods(path: Path) -> Goods:
    try:
        return Goods.open(path)
    except ImageError as error:
        parts = None
        with suppress(ImageError, OSError):  # parts that are missing are the error itself
            parts = Parts.find(path)
        raise (_damaged(parts) or error) from error


def _blamed(goods: Goods, error: DigestMismatchError) -> ImageError:
    """Name what is damaged as its owner knows it: the part, or the archive."""
    fallback = DigestMismatchError(f"{goods.contents.path}: {error.message}", hint=_AGAIN)
    return _damaged(goods.contents.parts) or fallback


def _damaged(parts: Parts | None) -> DigestMismatchError | None:
    problems = parts.damaged() if parts else []
    if not parts or not problems:
        return None
    return DigestMismatchError(
        f"{parts.listing.name}: {counted(len(problems), 'part')} damaged", problems=problems, hint=_AGAIN
    )
