"""sealpy save: write a cluster image to a file or directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.amount import parse_size
from sealpy.cli.compression import CompressionFormat, packed
from sealpy.cli.home import open_store
from sealpy.cli.renderers import units
from sealpy.cli.styles import without_styles
from sealpy.errors import ConfigError
from sealpy.image.archive.formats import Format

if TYPE_CHECKING:
    from sealpy.image.archive.save import Saved

__all__ = ["command"]


def _one_place(ctx: typer.Context, values: list[str]) -> list[str]:
    """Take the one place that `--output` names; a style may stand beside it."""
    places = without_styles(ctx, values)
    match places:
        case [_]:
            return places
        case []:
            hint = f"name the file as well; one of that name is -o ./{values[0]}"
            raise ConfigError(f"--output '{values[0]}': that is a style, and no file", hint=hint)
        case _:
            raise ConfigError(f"--output: {len(places)} places, {', '.join(places)}", hint="name one")


Out = Annotated[
    list[str],
    typer.Option(
        "-o",
        "--output",
        "--out",
        metavar="PATH",
        help="File or directory to write; 'text' and 'json' beside it are styles, as in other commands.",
        is_eager=True,
        callback=_one_place,
    ),
]


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="IMAGE", help="Name of the image.")],
    *,
    place: Out,
    format_: Annotated[
        Format, typer.Option("--format", help="How it is written; docker-archive is for 'docker load' as well.")
    ] = Format.OCI_ARCHIVE,
    compression: CompressionFormat = None,
    since: Annotated[
        str, typer.Option("--since", metavar="IMAGE", help="Leave out what the far side has with this image.")
    ] = "",
    part_size: Annotated[
        str, typer.Option("--part-size", metavar="SIZE", help="Write parts of at most this size, such as 4G or 700M.")
    ] = "",
) -> None:
    """Write a cluster image to a file or directory.

    What is written by default is an OCI archive: 'sealpy load', skopeo and others read it. A delta made by --since is
    loaded where that image is; parts are loaded by the name of the whole, and their list is checked by 'sha256sum
    --check' as well. G means 1000 M; GiB is 1024 MiB. With --compression-format gzip a packed copy of the image is
    written, which has a digest of its own, to which no signature refers.

    Examples:
        sealpy save kubernetes:v1.34.4 -o kubernetes.tar
        sealpy save shop:2 --since kubernetes:v1.34.4 -o shop.tar
        sealpy save kubernetes:v1.34.4 -o kubernetes.tar --part-size 4G
        sealpy save kubernetes:v1.34.4 -o layout --format oci-dir
    """
    from sealpy.image.archive.save import check_out, pack, save
    from sealpy.image.progress import Progress

    (out,) = place
    size = parse_size(part_size, option="--part-size") if part_size else 0
    if since and compression:
        message = "--since and --compression-format: the far side has plain layers, and packed ones have other digests"
        raise ConfigError(message, hint="leave one of the two out")
    check_out(out, format_, part_size=size, since=since)
    store = open_store()
    image = store.find(name)
    shown = image.reference.familiar
    progress = Progress(ctx.obj.emit, f"save {shown}")
    with packed(store, image, compression, progress=progress, emit=ctx.obj.emit) as top:
        shipment = pack(store, name, since=since, instead=top)
        on_bytes = progress.step(out, total=shipment.size)
        saved = save(shipment, Path(out), format_=format_, part_size=size, on_bytes=on_bytes)
    progress.finish(_told(saved, since))
    if ctx.obj.is_json:
        files = [str(path) for path in saved.files]
        written = {"file": str(Path(out)), "files": files, "size": saved.size, "left_out": saved.left_out}
        digests = {"digest": top.digest, "stored_digest": image.descriptor.digest}
        ctx.obj.json({"name": shown, **digests, **written})


def _told(saved: Saved, since: str) -> str:
    first, *others = saved.files
    files = f"{first} … {others[-1]}" if others else str(first)
    rest = f"; {units.size(saved.left_out)} are in {since}" if since else ""
    return f"{files}, {units.size(saved.size)}{rest}"
