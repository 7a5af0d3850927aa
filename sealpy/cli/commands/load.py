"""sealpy load: read a cluster image from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.home import open_store

__all__ = ["command"]


def command(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Option("-i", "--input", help="OCI archive, or directory with an OCI layout.")],
    tag: Annotated[str, typer.Option("-t", "--tag", help="Name for the image, instead of its own.")] = "",
) -> None:
    """Read a cluster image from a file.

    Examples:
        sealpy load -i kubernetes.tar
    """
    from sealpy.errors import ConfigError  # noqa: PLC0415 - '--help' must not wait for it
    from sealpy.image.archive import load  # noqa: PLC0415
    from sealpy.image.progress import Progress  # noqa: PLC0415

    if not file.exists():
        raise ConfigError(f"{file}: no such file", hint="name the file that 'sealpy save' wrote")
    progress = Progress(ctx.obj.emit, f"load {file}")
    total = file.stat().st_size if file.is_file() else 0
    for image in load(open_store(), file, tag=tag or None, on_bytes=progress.step("verify", total=total)):
        progress.finish(f"{image.reference.familiar}, {image.digest}")
        if ctx.obj.is_json:
            ctx.obj.json({"name": image.reference.familiar, "digest": image.digest})
