"""sealpy store: look after what is kept of images on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sealpy.cli.home import open_store
from sealpy.cli.lazy import SealpyCommand, SealpyGroup
from sealpy.cli.renderers import units
from sealpy.errors import StoreError, counted

if TYPE_CHECKING:
    from sealpy.image.store.check import Health

__all__ = ["app"]

app = typer.Typer(
    help="Look after what is kept of images on this machine.\n\n"
    "Examples:\n    sealpy store check\n    sealpy store repair\n    sealpy store path",
    cls=SealpyGroup,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("check", cls=SealpyCommand)
def check_(ctx: typer.Context) -> None:
    """Read every blob and follow every image; name each fault and what to type.

    Nothing is changed. Exit code 0 says that every image here is whole and every byte is what its digest says.

    Examples:
        sealpy store check
        sealpy store check --output json
    """
    from sealpy.image.progress import Progress
    from sealpy.image.store.check import check

    store = open_store()
    if not store.root.exists():
        raise StoreError(f"{store.root}: no images yet", hint="build, pull or load one")
    progress = Progress(ctx.obj.emit, "check store")
    total = sum(store.blob_path(digest).stat().st_size for digest in store.blobs())
    health = check(store, on_bytes=progress.step(str(store.root), total=total))
    if health.faults:
        message = f"{store.root}: {counted(len(health.faults), 'fault')}"
        raise StoreError(message, problems=health.faults, hint="do what stands below each fault, then check again")
    _tell(ctx, health)


@app.command("repair", cls=SealpyCommand)
def repair_(ctx: typer.Context) -> None:
    """Take out what is damaged, so that the next load, pull or build brings it again.

    Nothing that is whole is touched.

    Examples:
        sealpy store repair
    """
    from sealpy.image.store.check import repair

    store = open_store()
    done = repair(store) if store.root.exists() else ()
    if ctx.obj.is_json:
        ctx.obj.json({"repaired": list(done)})
    else:
        ctx.obj.text(
            "\n".join([*done, "now 'sealpy store check' tells which images to load again"])
            if done
            else "nothing to repair"
        )


@app.command("path", cls=SealpyCommand)
def path(ctx: typer.Context) -> None:
    """Print the directory: an OCI layout, which skopeo and others read as 'oci:DIRECTORY:NAME'.

    Examples:
        sealpy store path
        skopeo inspect oci:$(sealpy store path):docker.io/library/kubernetes:v1.34.4
    """
    root = open_store().root
    if ctx.obj.is_json:
        ctx.obj.json({"path": str(root)})
    else:
        ctx.obj.text(str(root))


def _tell(ctx: typer.Context, health: Health) -> None:
    waste = health.waste
    if ctx.obj.is_json:
        unused = {"blobs": waste.blobs, "files": waste.files, "size": waste.size} if waste else None
        counts = {"images": health.images, "blobs": health.blobs, "size": health.size, "unused": unused}
        ctx.obj.json({"valid": True, **counts})
        return
    images, blobs = counted(health.images, "image"), counted(health.blobs, "blob")
    ctx.obj.text(f"the store is valid: {images}, {blobs}, {units.size(health.size)}")
    if waste and waste.blobs + waste.files:
        ctx.obj.text(f"no image needs {units.size(waste.size)} of it: 'sealpy prune' removes that")
