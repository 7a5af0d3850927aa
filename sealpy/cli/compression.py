"""What commands take that write an image for somebody else: how its layers are packed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.image.archive.formats import Compression

if TYPE_CHECKING:
    from sealpy.events import Emit
    from sealpy.image.manifest import Descriptor
    from sealpy.image.progress import Progress
    from sealpy.image.store import Store
    from sealpy.image.store.listing import StoredImage

__all__ = ["CompressionFormat", "packed"]

CompressionFormat = Annotated[
    Compression | None,
    typer.Option(
        "--compression-format", show_default=False, help="Pack each layer, for tools that need it; else as stored."
    ),
]


@contextmanager
def packed(
    store: Store, image: StoredImage, how: Compression | None, *, progress: Progress, emit: Emit
) -> Iterator[Descriptor]:
    """Have an image as it is to be written, and say what does not go with a packed copy."""
    if how is None:
        yield image.descriptor
        return
    from sealpy.image.gzipped import gzipped

    with gzipped(store, image.descriptor, progress=progress) as copy:
        if copy.digest != image.descriptor.digest:
            _tell_what_stays(store, image, copy, emit)
        yield copy


def _tell_what_stays(store: Store, image: StoredImage, copy: Descriptor, emit: Emit) -> None:
    from sealpy.events import Warned
    from sealpy.image.trust.carry import documents_of
    from sealpy.image.trust.kinds import CYCLONEDX, KINDS, SIGNATURE, SPDX

    types = {document.artifact_type for document in documents_of(store, image.descriptor)}
    words = [
        *(["its signature"] if SIGNATURE in types else []),
        *(["its bills of materials"] if types & {SPDX, CYCLONEDX} else []),
        *(["what else refers to it"] if types - {*KINDS} else []),
    ]
    if not words:
        return
    name, stay = image.reference.familiar, f"{' and '.join(words)} stay here, with {image.descriptor.digest}"
    sign = "sign the packed one where it was pulled or loaded; " if SIGNATURE in types else ""
    hint = f"{sign}'sealpy inspect --sbom spdx' tells there what is in it"
    emit(Warned(message=f"{name}: packed, it is another image, {copy.digest}: {stay}", hint=hint))
