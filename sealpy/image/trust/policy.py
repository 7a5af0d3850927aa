"""Whether an image may be used: what its signatures must say before anything is done with it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sealpy.errors import ImageError
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.trust.keys import PublicKey
from sealpy.image.trust.signatures import signatures, verify

__all__ = ["Verification", "admit"]


class Verification(StrEnum):
    """Say when an image has to be signed by a key that is trusted here."""

    ALWAYS = "always"
    IF_POSSIBLE = "if-possible"  # when it is signed, and keys are trusted here
    NEVER = "never"


def admit(
    store: Store,
    name: str | Reference,
    keys: Sequence[PublicKey],
    how: Verification,
    *,
    trusted: str = "~/.sealpy/keys",
) -> str:
    """Let an image pass, and give what the operator should know of it, if anything; raises ImageError to refuse it.

    `trusted` is the directory that messages name for keys.
    """
    image = store.find(name)
    familiar = image.reference.familiar
    if how is Verification.NEVER:
        return ""
    signed = bool(signatures(store, image.descriptor.digest))
    if how is Verification.IF_POSSIBLE and not (signed and keys):
        missing = "no key is trusted here" if signed else "it is not signed"
        return f"{familiar}: not verified: {missing}" if signed or keys else ""
    if not keys:
        hint = f"put the public key of who signs your images into {trusted}, or name it by --verify-key"
        raise ImageError(f"{familiar}: cannot be verified: no key is trusted here", hint=hint)
    verify(store, image.reference, keys)
    return ""
