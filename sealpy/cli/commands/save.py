"""sealpy save: write a cluster image to one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

__all__ = ["command"]


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the image.")],
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
) -> None:
    """Write a cluster image to one file.

    The file is an OCI archive: 'sealpy load', skopeo and others read it.

    Examples:
        sealpy save kubernetes:v1.34.4 -o kubernetes.tar
    """
    from sealpy.image.archive import save  # noqa: PLC0415 - '--help' must not wait for it
    from sealpy.image.cluster_image import ClusterImage  # noqa: PLC0415
    from sealpy.image.progress import Progress  # noqa: PLC0415

    image = ClusterImage.open(open_store(), name)
    progress = Progress(ctx.obj.emit, f"save {image.reference.familiar}")
    size = save(image, out, on_bytes=progress.step(str(out), total=image.size))
    progress.finish(f"{out}, {units.size(size)}")
    if ctx.obj.is_json:
        ctx.obj.json({"name": image.reference.familiar, "file": str(out), "size": size})
