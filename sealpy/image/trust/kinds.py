"""The types of the documents that stand beside an image: signatures, and bills of materials in two forms."""

from __future__ import annotations

from typing import Final

__all__ = ["CYCLONEDX", "KINDS", "SIGNATURE", "SPDX"]

SIGNATURE: Final = "application/vnd.dev.cosign.artifact.sig.v1+json"
"""The type of the document that holds the signatures of an image."""

SPDX: Final = "application/spdx+json"
CYCLONEDX: Final = "application/vnd.cyclonedx+json"
KINDS: Final = (SIGNATURE, SPDX, CYCLONEDX)
