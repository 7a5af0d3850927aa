"""sealpy load: read cluster images from a file or directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.home import open_store

__all__ = ["command"]


def command(
    ctx: typer.Context,
    *,
    file: Annotated[
        Path, typer.Option("-i", "--input", help="Archive, one of its parts or their list, or a directory.")
    ],
    tag: Annotated[str, typer.Option("-t", "--tag", help="Name for the image, instead of its own.")] = "",
) -> None:
    """Read cluster images from a file or directory.

    OCI archives and layouts are read, what 'docker save' writes, and directories that skopeo wrote. A load that was
    cut goes on where it ended.

    Examples:
        sealpy load -i kubernetes.tar
        sealpy load -i kubernetes.tar.001
        sealpy load -i layout --tag kubernetes:mine
    """
    from sealpy.errors import ConfigError
    from sealpy.image.archive.load import load
    from sealpy.image.progress import Progress

    if str(file) == "-" and not file.exists():
        hint = "write it to a file first: cat > image.tar && sealpy load -i image.tar"
        raise ConfigError("'-': standard input is not read: an image is verified before it is taken", hint=hint)
    if not file.exists() and not file.with_name(f"{file.name}.sha256").exists():
        raise ConfigError(f"{file}: no such file", hint="name the file that 'sealpy save' wrote")
    progress = Progress(ctx.obj.emit, f"load {file}")
    images = load(open_store(), file, tag=tag or None, begin=lambda total: progress.step("verify", total=total))
    progress.finish(", ".join(image.reference.familiar for image in images))
    for image in images:
        name = image.reference.familiar
        if ctx.obj.is_json:
            ctx.obj.json({"name": name, "digest": image.digest})
        else:
            ctx.obj.text(f"{name}  {image.digest}")
