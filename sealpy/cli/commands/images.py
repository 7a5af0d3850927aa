"""sealpy images: list the local cluster images."""

from __future__ import annotations

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

__all__ = ["command"]


def command(ctx: typer.Context) -> None:
    """List the cluster images on this machine.

    Examples:
        sealpy images
        sealpy images --output json
    """
    store = open_store()
    found = []
    for image in store.images():
        descriptor, manifest = store.manifest(image.descriptor)
        size = descriptor.size + manifest.config.size + sum(layer.size for layer in manifest.layers)
        found.append((image.reference.familiar, descriptor.digest, size))
    if ctx.obj.is_json:
        ctx.obj.json([{"name": name, "digest": digest, "size": size} for name, digest, size in found])
    else:
        rows = [(name, digest.removeprefix("sha256:")[:12], units.size(size)) for name, digest, size in found]
        ctx.obj.table("", ("Name", "Digest", "Size"), rows)
