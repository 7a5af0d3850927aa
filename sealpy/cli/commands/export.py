"""sealpy export: write the rootfs of a cluster image into a directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.errors import ConfigError, counted

__all__ = ["command"]


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="IMAGE", help="Name of the image.")],
    place: Annotated[str, typer.Argument(metavar="DIR", help="Directory to make; it may be there when it is empty.")],
) -> None:
    """Write the rootfs of a cluster image into a directory.

    It is what a host gets, before templates are rendered: to look into, or to compare by other tools.

    Examples:
        sealpy export kubernetes:v1.34.4 rootfs
    """
    from sealpy.image.cluster_image import ClusterImage
    from sealpy.image.export import export
    from sealpy.image.progress import Progress

    directory = _directory(place)
    store = open_store()
    store.resolve(name)
    with store.keeping():
        image = ClusterImage.open(store, name)
        shown = image.reference.familiar
        progress = Progress(ctx.obj.emit, f"export {shown}")
        total = sum(entry.size for entry in image.files.values())
        files = export(image, directory, on_bytes=progress.step(str(directory), total=total))
    progress.finish(f"{directory}, {counted(files, 'file')}")
    if ctx.obj.is_json:
        ctx.obj.json(
            {"name": shown, "digest": image.digest, "directory": str(directory), "files": files, "size": total}
        )


def _directory(typed: str) -> Path:
    """Read the place; raises ConfigError for the word that stands for standard output elsewhere."""
    if typed == "-":
        hint = "name a directory, which gets its name when it is whole; './-' is one that is called '-'"
        raise ConfigError("'-': standard output takes no directory", hint=hint)
    return Path(typed)
