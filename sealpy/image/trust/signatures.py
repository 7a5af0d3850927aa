"""Signatures of images: a short text that names the digest, and its signature, in cosign's form.

All signatures of an image stand as layers of one manifest whose subject is the image.
Source: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sealpy.errors import ImageError
from sealpy.image.manifest import Descriptor, Manifest, encode, parse
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.trust.keys import PublicKey, SigningKey
from sealpy.image.trust.kinds import SIGNATURE

__all__ = ["Signature", "sign", "signatures", "verify"]

_PAYLOAD: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_NOTE: Final = "dev.cosignproject.cosign/signature"
_TYPE: Final = "cosign container image signature"


@dataclass(frozen=True, slots=True)
class Signature:
    """Hold one signature, and the text that was signed."""

    payload: bytes
    value: bytes

    @property
    def digest(self) -> str:
        """Give the digest that the text names; empty when it is no such text."""
        try:
            critical = json.loads(self.payload)["critical"]
            return str(critical["image"]["docker-manifest-digest"]) if critical["type"] == _TYPE else ""
        except (ValueError, KeyError, TypeError):
            return ""


def sign(store: Store, name: str | Reference, key: SigningKey) -> Descriptor:
    """Sign a local image, beside those who signed it before; gives the document that holds the signatures.

    Signing again with the same key replaces its signature.
    """
    image = store.find(name)
    subject = image.descriptor.model_copy(update={"annotations": None})
    payload = _payload(image.reference, subject.digest)
    others = [one for one in signatures(store, subject.digest) if not key.public.verifies(one.value, one.payload)]
    with store.keeping():
        layers = tuple(_layer(store, one) for one in (*others, Signature(payload, key.sign(payload))))
        config = store.put(_config(layers), media_type=SIGNATURE)
        manifest = Manifest(config=config, layers=layers, subject=subject)
        document = store.put(encode(manifest), media_type=manifest.media_type)
        return store.attach(document.model_copy(update={"artifact_type": SIGNATURE}), subject=subject.digest)


def signatures(store: Store, digest: str) -> tuple[Signature, ...]:
    """Read the signatures of the image with this digest, whether they are right or not."""
    found = []
    for document in store.referrers(digest, artifact_type=SIGNATURE):
        manifest = parse(Manifest, store.read(document.digest), what=f"signatures {document.digest}")
        for layer in manifest.layers:
            note = (layer.annotations or {}).get(_NOTE, "")
            try:
                value = base64.b64decode(note, validate=True)
            except binascii.Error as error:
                raise ImageError(f"signatures {document.digest}: damaged", hint="sign the image again") from error
            found.append(Signature(store.read(layer.digest), value))
    return tuple(found)


def verify(store: Store, name: str | Reference, keys: Sequence[PublicKey]) -> tuple[PublicKey, ...]:
    """Give those of some keys whose owners signed a local image; raises ImageError when none of them did."""
    image = store.find(name)
    digest, familiar = image.descriptor.digest, image.reference.familiar
    found = [one for one in signatures(store, digest) if one.digest == digest]
    signers = tuple(key for key in keys if any(key.verifies(one.value, one.payload) for one in found))
    if not found:
        hint = f"'sealpy sign {familiar} --key FILE' signs it; a signature does not come along when only the image does"
        raise ImageError(f"{familiar}: not signed ({digest})", hint=hint)
    if not signers:
        known = ", ".join(key.name for key in keys) or "no key"
        hint = "get the public key of who signed it, by a way that you trust"
        raise ImageError(f"{familiar}: signed, but not by {known}", hint=hint)
    return signers


def _payload(reference: Reference, digest: str) -> bytes:
    text = {
        "critical": {
            "identity": {"docker-reference": f"{reference.domain}/{reference.path}"},
            "image": {"docker-manifest-digest": digest},
            "type": _TYPE,
        },
        "optional": None,
    }
    return json.dumps(text, separators=(",", ":")).encode()


def _layer(store: Store, one: Signature) -> Descriptor:
    layer = store.put(one.payload, media_type=_PAYLOAD)
    return layer.model_copy(update={"annotations": {_NOTE: base64.b64encode(one.value).decode()}})


def _config(layers: Sequence[Descriptor]) -> bytes:
    """Write the configuration that readers of images expect; the digests of the layers are those of plain ones too."""
    rootfs = {"type": "layers", "diff_ids": [layer.digest for layer in layers]}
    config = {"architecture": "", "os": "", "config": {}, "created": "0001-01-01T00:00:00Z", "history": []}
    return json.dumps({**config, "rootfs": rootfs}, separators=(",", ":")).encode()
