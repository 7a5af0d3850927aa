"""sealpy tag: give a local cluster image another name."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.home import open_store

__all__ = ["command"]


def command(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="IMAGE", help="Name that the image has.")],
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names that it gets as well.")],
) -> None:
    """Give a cluster image another name.

    The name is taken from the image that had it before.

    Examples:
        sealpy tag shop:1 registry.example.com/team/shop:1
    """
    from sealpy.image.reference import Reference

    store = open_store()
    descriptor = store.resolve(source)
    for reference in [Reference.parse(name) for name in names]:
        store.tag(reference, descriptor)
        if ctx.obj.is_json:
            ctx.obj.json({"name": reference.familiar, "digest": descriptor.digest})
        else:
            ctx.obj.text(f"{reference.familiar}  {descriptor.digest}")
