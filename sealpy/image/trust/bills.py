"""Bills of materials beside the image they describe, one document for each form."""

from __future__ import annotations

from typing import Final

from sealpy.errors import ConfigError, did_you_mean
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import Descriptor, Manifest, encode, parse
from sealpy.image.store import Store
from sealpy.image.trust.bill import Bill, bill_of
from sealpy.image.trust.documents import FORMATS
from sealpy.image.trust.memory import Memory

__all__ = ["attach_bills", "memory_of", "read_bill"]

_EMPTY: Final = "application/vnd.oci.empty.v1+json"


def attach_bills(image: ClusterImage) -> None:
    """Write the bill of materials of an image in every form, and put it beside the image; nothing when it is there."""
    if all(image.store.referrers(image.digest, artifact_type=media_type) for media_type, _ in FORMATS.values()):
        return
    bill = _bill(image)
    subject = image.descriptor.model_copy(update={"annotations": None, "platform": None})
    for form, (media_type, _) in FORMATS.items():
        _attach(image.store, subject, media_type, written(bill, form))


def read_bill(image: ClusterImage, form: str) -> bytes:
    """Give the bill of materials of an image: the one that stands beside it, else one made now.

    Raises ConfigError for a form that is not known.
    """
    if form not in FORMATS:
        hint = did_you_mean(form, FORMATS) or f"one of {', '.join(FORMATS)}"
        raise ConfigError(f"form '{form}': not known for bills of materials", hint=hint)
    media_type, _ = FORMATS[form]
    for document in image.store.referrers(image.digest, artifact_type=media_type):
        manifest = parse(Manifest, image.store.read(document.digest), what=f"document {document.digest}")
        return image.store.read(manifest.layers[0].digest)
    return written(_bill(image), form)


def written(bill: Bill, form: str) -> bytes:
    """Write a bill in one of the FORMATS."""
    return FORMATS[form][1](bill)


def memory_of(store: Store) -> Memory:
    """Give what is known of the contents of layers and programs, kept beside the images of a store."""
    return Memory(store.root / "contents")


def _bill(image: ClusterImage) -> Bill:
    return bill_of(image, memory_of(image.store))


def _attach(store: Store, subject: Descriptor, media_type: str, data: bytes) -> None:
    with store.keeping():
        layer = store.put(data, media_type=media_type)
        config = store.put(b"{}", media_type=_EMPTY)
        manifest = Manifest(config=config, layers=(layer,), artifact_type=media_type, subject=subject)
        document = store.put(encode(manifest), media_type=manifest.media_type)
        store.attach(document.model_copy(update={"artifact_type": media_type}), subject=subject.digest)
