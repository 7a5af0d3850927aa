"""sealpy rmi: remove local cluster images."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

__all__ = ["command"]


def command(ctx: typer.Context, names: Annotated[list[str], typer.Argument(help="Names of the images.")]) -> None:
    """Remove cluster images from this machine.

    What another image needs as well stays.

    Examples:
        sealpy rmi shop:1
        sealpy rmi shop:1 shop:2
    """
    store = open_store()
    for name in names:
        store.resolve(name)  # all of them are known before the first is removed
    for name in names:
        freed = store.remove(name)
        if ctx.obj.is_json:
            ctx.obj.json({"removed": name, "freed": freed})
        else:
            ctx.obj.text(f"{name} removed, {units.size(freed)} freed")
