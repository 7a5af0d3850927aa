"""sealpy inspect: show what is inside a cluster image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import open_store

if TYPE_CHECKING:
    from sealpy.image.cluster_image import ClusterImage

__all__ = ["command"]


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="IMAGE", help="Name of the image.")],
    *,
    files: Annotated[bool, typer.Option("--files", help="List the files instead.")] = False,
    images: Annotated[
        bool, typer.Option("--images", help="List the container images instead, with each place that names them.")
    ] = False,
    sbom: Annotated[
        str,
        typer.Option("--sbom", metavar="<spdx|cyclonedx>", help="Print the bill of materials instead."),
    ] = "",
) -> None:
    """Show what is inside a cluster image.

    Examples:
        sealpy inspect kubernetes:v1.34.4
        sealpy inspect kubernetes:v1.34.4 --files
        sealpy inspect kubernetes:v1.34.4 --images
        sealpy inspect kubernetes:v1.34.4 --sbom spdx > kubernetes.spdx.json
    """
    from sealpy.image.cluster_image import ClusterImage

    image = ClusterImage.open(open_store(), name)
    if sbom:
        from sealpy.image.trust.bills import read_bill

        ctx.obj.json(json.loads(read_bill(image, sbom)))
    elif images:
        ctx.obj.table("", ("Image", "App", "Named in", "Document", "Path", "Rule"), list(_places(image)))
    elif files:
        rows = [(f"{e.mode:04o}", e.size, e.sha256[:12], e.path) for e in image.files.values() if e.kind != "dir"]
        ctx.obj.table("", ("Mode", "Size", "Sha256", "Path"), rows)
    else:
        ctx.obj.json(_described(image))


def _places(image: ClusterImage) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Give a row for each place that names a container image; one image whose places nobody recorded has one row."""
    for use in image.metadata.container_images:
        if not use.found_in:
            yield use.image, use.app_name, "", "", "", ""
        for spot in use.found_in:
            yield use.image, use.app_name, str(spot), str(spot.document or ""), spot.path, spot.rule


def _described(image: ClusterImage) -> dict[str, object]:
    from sealpy.image.history import history

    metadata = image.metadata
    return {
        "name": image.reference.familiar,
        "digest": image.digest,
        "size": image.size,
        "architecture": image.config.architecture,
        **metadata.model_dump(mode="json", by_alias=True),
        "containerImages": [use.image for use in metadata.container_images],
        "files": sum(entry.kind != "dir" for entry in image.files.values()),
        "layers": [
            {"digest": layer.digest, "size": layer.size, "madeBy": layer.made_by}
            for layer in history(image.manifest, image.config)
        ],
    }
