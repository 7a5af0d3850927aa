"""sealpy diff: show what one cluster image has that another has not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units
from sealpy.cli.table import in_a_line
from sealpy.errors import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealpy.image.diff import Change, Difference

__all__ = ["command"]

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def command(
    ctx: typer.Context,
    before: Annotated[str, typer.Argument(metavar="IMAGE", help="The image that was.")],
    after: Annotated[str, typer.Argument(metavar="OTHER", help="The image that is.")],
) -> None:
    """Show what one cluster image has that another has not.

    Files are compared by mode, owner and content, container images by digest. The last line says how much is to be
    moved to where the first image is, as by 'sealpy save --since'.

    Examples:
        sealpy diff kubernetes:v1.34.3 kubernetes:v1.34.4
        sealpy diff shop:1 shop:2 --output json
    """
    from sealpy.image.cluster_image import ClusterImage
    from sealpy.image.diff import diff

    store = open_store()
    found = diff(ClusterImage.open(store, before), ClusterImage.open(store, after))
    if ctx.obj.is_json:
        ctx.obj.json(asdict(found))
    else:
        ctx.obj.text("\n".join(map(in_a_line, _lines(found))))


def _lines(found: Difference) -> Iterator[str]:
    if found.is_empty:
        yield "no difference"
    if found.files:
        yield f"{counted(len(found.files), 'file')}:"
        yield from (f"  {_SIGNS[change.how]} {change.name}{_sizes(change)}" for change in found.files)
    if found.images:
        yield f"{counted(len(found.images), 'container image')}:"
        yield from (f"  {_SIGNS[change.how]} {change.name}{_values(change)}" for change in found.images)
    if found.metadata:
        yield "what the image says of itself:"
        yield from (f"  {_SIGNS[change.how]} {change.name}{_values(change)}" for change in found.metadata)
    yield f"to be moved: {units.size(found.moved)}"


def _sizes(change: Change) -> str:
    match change.how:
        case "added":
            return f"  {units.size(change.size_after)}"
        case "removed":
            return f"  {units.size(change.size_before)}"
        case "changed" if change.size_before != change.size_after:
            return f"  {units.size(change.size_before)} → {units.size(change.size_after)}"
        case _:
            return f"  {change.before} → {change.after}"


def _values(change: Change) -> str:
    values = [_short(value) for value in (change.before, change.after) if value]
    return f"  {' → '.join(values)}" if values else ""


def _short(value: str) -> str:
    return value.removeprefix("sha256:")[:12] if value.startswith("sha256:") else value
