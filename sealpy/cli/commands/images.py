"""sealpy images: list the local cluster images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

if TYPE_CHECKING:
    from sealpy.image.store.usage import Usage

__all__ = ["command"]


def command(
    ctx: typer.Context,
    *,
    digests: Annotated[bool, typer.Option("--digests", "--no-trunc", help="Show digests whole.")] = False,
    names: Annotated[bool, typer.Option("--names", help="Print the names alone, one a line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --output json.")] = False,
) -> None:
    """List the cluster images on this machine.

    SIZE is what is moved when the image is copied; OWN becomes free on this disk when it is removed; SHARED is needed
    by other images as well.

    Examples:
        sealpy images
        sealpy images --digests
        sealpy images --output json
    """
    from sealpy.cli.settings import Style
    from sealpy.events import Warned
    from sealpy.image.store.usage import usage

    if as_json:
        ctx.obj.configure(style=Style.JSON)
    found = usage(open_store())
    if ctx.obj.is_json:
        ctx.obj.json([_data(image) for image in found])
        return
    for image in found:
        if image.problem:
            message = f"image '{image.image.reference.familiar}': {image.problem}"
            ctx.obj.emit(Warned(message=message, hint="'sealpy store check' tells what to do"))
    if names:
        ctx.obj.text("\n".join(image.image.reference.familiar for image in found)) if found else None
    else:
        columns = ("Name", "Digest", "Platform", "Size", "Own", "Shared")
        ctx.obj.table("", columns, [_row(image, whole=digests) for image in found])


def _row(usage: Usage, *, whole: bool) -> tuple[str, ...]:
    digest = usage.image.descriptor.digest
    shown = digest if whole else digest.removeprefix("sha256:")[:12]
    name = usage.image.reference.familiar
    if usage.problem:
        return (name, shown, "damaged", "", "", "")
    sizes = (units.size(count) for count in (usage.size, usage.own, usage.shared))
    return (name, shown, ",".join(usage.platforms), *sizes)


def _data(usage: Usage) -> dict[str, object]:
    named = {"name": usage.image.reference.familiar, "digest": usage.image.descriptor.digest}
    if usage.problem:
        return {**named, "problem": usage.problem}
    sizes = {"size": usage.size, "own": usage.own, "shared": usage.shared}
    return {**named, "platforms": list(usage.platforms), **sizes}
