"""sealpy prune: remove what no local image needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units
from sealpy.errors import counted

__all__ = ["command"]


def command(
    ctx: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much there is, and remove nothing.")] = False,
) -> None:
    """Remove what no local image needs: parts of images whose name is gone, and what a cut build, pull or load left.

    While another sealpy builds, moves or runs an image nothing is removed. A load or pull that was cut begins at the
    beginning after this.

    Examples:
        sealpy prune
        sealpy prune --dry-run
    """
    from sealpy.image.building.workspace import left, sweep

    store = open_store()
    waste = store.waste() if dry_run or not store.root.exists() else store.prune()
    work = left(store.root)  # of builds that were killed
    waste = replace(waste, files=waste.files + len(work), size=waste.size + sum(file.stat().st_size for file in work))
    if not dry_run:
        sweep(store.root)
    if ctx.obj.is_json:
        counts = {"blobs": waste.blobs, "files": waste.files, "size": waste.size}
        ctx.obj.json({"would_remove" if dry_run else "removed": counts})
        return
    what = f"{counted(waste.blobs, 'blob')} and {counted(waste.files, 'unfinished file')}, {units.size(waste.size)}"
    ctx.obj.text(
        f"{what}, {'would go' if dry_run else 'removed'}" if waste.blobs + waste.files else "nothing to remove"
    )
