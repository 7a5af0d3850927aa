"""Signatures and bills of materials go where their image goes: to a registry, and from one.

In a registry they are referrers of the image. A signature also gets the tag by which cosign finds it in registries that
list no referrers; signatures that cosign put under such a tag are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sealpy.errors import DigestMismatchError, ImageError, RemoteError
from sealpy.image.manifest import Descriptor, Manifest, encode, parse
from sealpy.image.reference import Reference
from sealpy.image.remote.remotes import Remotes, Sources
from sealpy.image.remote.repository import Repository
from sealpy.image.remote.upload import Blob
from sealpy.image.store import Store
from sealpy.image.store.graph import platforms
from sealpy.image.trust.kinds import KINDS, SIGNATURE

__all__ = ["bring_documents", "documents_of", "send_documents"]

_NOT_FOUND: Final = 404
_LONGEST: Final = 256 << 20  # bytes of a document: more is no signature and no bill


def documents_of(store: Store, top: Descriptor) -> tuple[Descriptor, ...]:
    """List what refers to an image, or to one of its platforms."""
    found = {document.digest: document for subject in _subjects(store, top) for document in store.referrers(subject)}
    return tuple(found.values())


def send_documents(store: Store, remotes: Remotes, top: Descriptor, destination: Reference) -> int:
    """Send what refers to an image that is there already, but for what is there too; raises RemoteError.

    Gives how many documents were sent.
    """
    repository = remotes.repository(destination)
    sent = 0
    with store.keeping():
        for digest in _subjects(store, top):
            for document in store.referrers(digest):
                if repository.digest(document.digest) != document.digest:
                    _send(store, repository, document, subject=digest)
                    sent += 1
    return sent


def _send(store: Store, repository: Repository, document: Descriptor, *, subject: str) -> None:
    data = store.read(document.digest)
    manifest = parse(Manifest, data, what=f"document {document.digest}")
    for part in dict.fromkeys((manifest.config.digest, *(layer.digest for layer in manifest.layers))):
        if not repository.has_blob(part):
            path = store.blob_path(part)
            repository.put_blob(Blob(part, path.stat().st_size, path))
    repository.attach(data, media_type=document.media_type, subject=subject, listed=document)
    if document.artifact_type == SIGNATURE:
        repository.put_manifest(_cosign_tag(subject), data, media_type=document.media_type)


def bring_documents(store: Store, sources: Sources, top: Descriptor) -> int:
    """Bring what refers to an image that is here already, and give how many documents; raises RemoteError.

    Only signatures and bills of materials are brought: other tools attach other things, of any size.
    """
    brought = 0
    with store.keeping():
        for digest in _subjects(store, top):
            for repository, document in _offered(sources, digest):
                _bring(store, repository, document, subject=digest)
                brought += 1
    return brought


def _offered(sources: Sources, digest: str) -> Iterator[tuple[Repository, Descriptor]]:
    """Find the documents of an image at the first source that has any, the last of each kind."""
    for repository in sources.repositories:
        last = repository is sources.repositories[-1]
        try:
            found = {d.artifact_type: d for d in repository.referrers(digest) if d.artifact_type in KINDS}
            if SIGNATURE not in found and (tagged := _tagged(repository, digest)):
                found[SIGNATURE] = tagged
        except RemoteError:
            if last:
                raise
            continue  # a mirror that cannot be asked, which the image's own pull has told
        if found:
            yield from ((repository, document) for document in found.values())
            return


def _tagged(repository: Repository, digest: str) -> Descriptor | None:
    try:
        return repository.manifest(_cosign_tag(digest))[0].model_copy(update={"artifact_type": SIGNATURE})
    except RemoteError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def _bring(store: Store, repository: Repository, document: Descriptor, *, subject: str) -> None:
    """Store a document and its parts; one that does not say what it refers to, as those under a tag, is made to."""
    descriptor, data = repository.manifest(document.digest)
    manifest = parse(Manifest, data, what=f"document {document.digest}")
    _fetch(store, repository, (manifest.config, *manifest.layers))
    if manifest.subject is None:
        about = Descriptor(media_type=manifest.media_type, digest=subject, size=store.blob_path(subject).stat().st_size)
        data = encode(manifest.model_copy(update={"subject": about}))
    elif manifest.subject.digest != subject:
        raise ImageError(f"document {document.digest}: refers to {manifest.subject.digest}", hint="sign it again")
    kept = store.put(data, media_type=descriptor.media_type)
    store.attach(kept.model_copy(update={"artifact_type": document.artifact_type}), subject=subject)


def _fetch(store: Store, repository: Repository, parts: Sequence[Descriptor]) -> None:
    for part in parts:
        if store.has(part.digest):
            continue
        if part.size > _LONGEST:
            raise ImageError(f"blob {part.digest}: {part.size} bytes, too long for a document")
        with repository.blob(part.digest) as (response, _), store.blob() as writer:
            data = response.read(part.size)
            if len(data) != part.size:
                message = f"blob {part.digest}: not {part.size} bytes"
                raise DigestMismatchError(message, hint="the registry is damaged: push the image again")
            writer.write(data)
            writer.commit(part.digest)


def _subjects(store: Store, top: Descriptor) -> list[str]:
    """Give what documents may refer to: the image, and of an index the image for each platform."""
    found = platforms(top, read=store.read, has=store.has)
    return list(dict.fromkeys((top.digest, *(descriptor.digest for descriptor, _ in found))))


def _cosign_tag(digest: str) -> str:
    return f"{digest.replace(':', '-')}.sig"
