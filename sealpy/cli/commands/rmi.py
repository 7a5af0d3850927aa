"""sealpy rmi: remove local cluster images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

if TYPE_CHECKING:
    from sealpy.image.store import Store

__all__ = ["command"]


def command(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="IMAGE", help="Names of the images.")] = None,
    *,
    prune: Annotated[
        bool, typer.Option("-p", "--prune", help="Remove also what no image needs, as 'sealpy prune' does.")
    ] = False,
    force: Annotated[bool, typer.Option("-f", "--force", help="A name that is not there is no error.")] = False,
) -> None:
    """Remove cluster images from this machine.

    What another image needs as well stays.

    Examples:
        sealpy rmi shop:1
        sealpy rmi shop:1 shop:2 --prune
    """
    from sealpy.errors import ConfigError

    if not names and not prune:
        raise ConfigError("no image named", hint="write 'sealpy rmi NAME'; 'sealpy images' lists them")
    store = open_store()
    for name in _known(store, names or [], force=force):
        freed = store.remove(name)
        if ctx.obj.is_json:
            ctx.obj.json({"removed": name, "freed": freed})
        else:
            ctx.obj.text(f"{name} removed, {_freed(store, freed)}")
    if prune:
        from sealpy.cli.commands import prune as pruning

        pruning.command(ctx)


def _known(store: Store, names: list[str], *, force: bool) -> list[str]:
    """Look all of them up before the first is removed."""
    from sealpy.errors import StoreError, did_you_mean
    from sealpy.image.reference import Reference

    known = []
    for name in names:
        try:
            store.resolve(name)
        except StoreError as error:
            if not force:
                hint = "'sealpy images' lists what is here; with --force that is no error"
                near = did_you_mean(
                    Reference.parse(name).familiar, [image.reference.familiar for image in store.images()]
                )
                raise StoreError(error.message, hint=f"{near} else {hint}" if near else hint) from error
        else:
            known.append(name)
    return known


def _freed(store: Store, freed: int) -> str:
    if users := store.users():
        return f"nothing freed while process {users[0]} uses the store: 'sealpy prune' does it later"
    return f"{units.size(freed)} freed"
