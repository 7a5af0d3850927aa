"""What made the layers of an image, as its configuration says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sealpy.image.manifest import ImageConfig, Manifest

__all__ = ["LayerOrigin", "history", "origins", "without_login"]

_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class LayerOrigin:
    """Tell of one layer, from bottom to top: its digest in the manifest, its bytes, what made it ("" when unknown)."""

    digest: str
    size: int
    made_by: str


def history(manifest: Manifest, config: ImageConfig) -> tuple[LayerOrigin, ...]:
    """List the layers of an image with what made each; raises ValueError when the two are not of one image."""
    made = [made_by for _, made_by in origins(config)]
    return tuple(
        LayerOrigin(layer.digest, layer.size, made_by) for layer, made_by in zip(manifest.layers, made, strict=True)
    )


def origins(config: ImageConfig) -> Iterator[tuple[str, str]]:
    """Yield the diff id of each layer with what made it."""
    told = [entry.created_by or "" for entry in config.history or () if not entry.empty_layer]
    known = told if len(told) == len(config.rootfs.diff_ids) else [""] * len(config.rootfs.diff_ids)
    yield from zip(config.rootfs.diff_ids, known, strict=True)


def without_login(made_by: str) -> str:
    """Take names and passwords out of the addresses in a text: everyone who has the image reads it."""
    return _LOGIN.sub("", made_by)
