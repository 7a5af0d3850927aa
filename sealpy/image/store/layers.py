"""Layers as plain tars: one that somebody compressed is unpacked into the store, once, under its diff id."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from sealpy.errors import DigestMismatchError, ImageError
from sealpy.image.manifest import Descriptor
from sealpy.image.store import Store
from sealpy.image.tarball import PIECE

__all__ = ["plain_layer"]

_GZIP_WINDOW = 31
_AGAIN = "get the image from who made it"
_MOST_TIMES = 200
_HARMLESS = 1 << 30  # bytes that a layer may have however small it was packed


def plain_layer(store: Store, layer: Descriptor, diff_id: str) -> Path:
    """Give the plain tar of a layer; raises ImageError for one that is damaged, unknown, or packed to fill a disk."""
    if store.has(diff_id):
        return store.blob_path(diff_id)
    what = f"layer {layer.digest}"
    if not store.has(layer.digest):
        raise ImageError(f"{what}: not in {store.root}", hint=_AGAIN)
    if layer.media_type.endswith((".tar", ".tar+plain")):
        message = f"{what}: a plain tar, but the configuration says that its plain digest is {diff_id}"
        raise ImageError(message, hint=_AGAIN)
    if not layer.media_type.endswith("gzip"):
        raise ImageError(f"{what}: type {layer.media_type!r} cannot be read", hint="compress it with gzip")
    with store.keeping(), store.blob() as writer:
        most = max(_HARMLESS, _MOST_TIMES * store.blob_path(layer.digest).stat().st_size)
        for piece in _unpacked(store.blob_path(layer.digest), what):
            writer.write(piece)
            if writer.size > most:
                message = f"{what}: {layer.size} bytes that unpack to more than {most}"
                raise ImageError(message, hint="it is made to fill the disk: do not use the image")
        try:
            writer.commit(diff_id)
        except DigestMismatchError as error:
            message = f"{what}: it does not unpack to {diff_id}, as the configuration says"
            raise ImageError(message, hint=_AGAIN) from error
    return store.blob_path(diff_id)


def _unpacked(path: Path, what: str) -> Iterator[bytes]:
    """Yield the content of a gzip file, which may have several members, in pieces of at most 1 MiB."""
    try:
        with path.open("rb", buffering=0) as file:
            member, begun = zlib.decompressobj(_GZIP_WINDOW), False
            while piece := file.read(PIECE):
                while piece := piece if begun else piece.lstrip(b"\0"):  # some tools fill up the last block
                    begun = True
                    yield from _decompressed(member, piece)
                    piece = member.unused_data
                    if member.eof:
                        member, begun = zlib.decompressobj(_GZIP_WINDOW), False
    except zlib.error as error:
        raise ImageError(f"{what}: {error}", hint=_AGAIN) from error
    if begun:
        raise ImageError(f"{what}: it ends too early", hint=_AGAIN)


def _decompressed(member: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    """Yield what a piece unpacks to, never more than 1 MiB at once, however well it was packed."""
    while True:
        out = member.decompress(piece, PIECE)
        yield out
        piece = member.unconsumed_tail
        if member.eof or (not piece and len(out) < PIECE):
            return
