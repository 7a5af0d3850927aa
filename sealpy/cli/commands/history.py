"""sealpy history: show what made the layers of a cluster image."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

__all__ = ["command"]


def command(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="IMAGE", help="Name of the image.")]
) -> None:
    """Show what made each layer of a cluster image, from bottom to top.

    Examples:
        sealpy history kubernetes:v1.34.4
        sealpy history kubernetes:v1.34.4 --output json
    """
    from sealpy.image.history import history
    from sealpy.image.store.graph import configuration

    store = open_store()
    _, manifest = store.manifest(store.resolve(name))
    layers = history(manifest, configuration(manifest, read=store.read))
    if ctx.obj.is_json:
        ctx.obj.json([{"digest": layer.digest, "size": layer.size, "made_by": layer.made_by} for layer in layers])
        return
    rows = [(layer.digest[7:19], units.size(layer.size), layer.made_by or "(not recorded)") for layer in layers]
    ctx.obj.table("", ("Layer", "Size", "Made by"), rows)
