"""sealpy merge: make one cluster image of several."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

__all__ = ["Settling", "command"]


class Settling(StrEnum):
    """Say what is done where images disagree."""

    REFUSE = "refuse"
    LAST = "last"


def command(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Names of the images, the base first.")],
    *,
    tag: Annotated[str, typer.Option("-t", "--tag", help="Name for the new image.")],
    settling: Annotated[
        Settling, typer.Option("--conflicts", help="Refuse images that disagree, or let the last one count.")
    ] = Settling.REFUSE,
) -> None:
    """Make one cluster image of several: all their files, container images and apps.

    Apps are launched in the order of the images. What the images share stays shared. Files, labels, env and apps about
    which they disagree are conflicts, and named.

    Examples:
        sealpy merge kubernetes:v1.34.4 shop:2 metrics:1 -t site:1
        sealpy merge shop:1 shop:2 -t shop:both --conflicts last
    """
    from sealpy.errors import ConfigError
    from sealpy.events import Warned
    from sealpy.image.cluster_image import ClusterImage
    from sealpy.image.combine import combine, conflicts, refuse
    from sealpy.image.reference import Reference

    if len(names) < 2:  # noqa: PLR2004 - one alone is not merged
        raise ConfigError(
            "one image alone: nothing to merge", hint=f"write 'sealpy tag {names[0]} {tag}', or name others"
        )
    reference, store = Reference.parse(tag), open_store()
    for name in names:
        store.resolve(name)
    with store.keeping():
        images = [ClusterImage.open(store, name) for name in names]
        found = conflicts(images)
        if settling is Settling.REFUSE:
            refuse(found)
        for conflict in found:
            ctx.obj.emit(Warned(message=str(conflict), hint="the last one counts"))
        image = combine(store, images, reference)
    told = image.reference.familiar
    if ctx.obj.is_json:
        ctx.obj.json({"name": told, "digest": image.digest, "size": image.size, "conflicts": [str(c) for c in found]})
    else:
        ctx.obj.text(f"{told}  {image.digest}  {units.size(image.size)}")
