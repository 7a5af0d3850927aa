"""sealpy build: build a cluster image from a Kubefile."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.renderers import units

if TYPE_CHECKING:
    from sealpy.image.cluster_image import ClusterImage

__all__ = ["Contents", "Kind", "Search", "command"]


class Search(StrEnum):
    """Name a way to find container images; sealpy always reads files, which the ancestor calls lite."""

    LITE = "lite"
    CONTAINER = "container"
    CLOUD = "cloud"
    LOCAL = "local"


class Contents(StrEnum):
    """Say whether container images go into the cluster image."""

    ALL = "all"
    LITE = "lite"


class Kind(StrEnum):
    """Say what a cluster image is for."""

    CLUSTER = "kube-installer"
    APPLICATION = "app-installer"


def command(
    ctx: typer.Context,
    context: Annotated[Path, typer.Argument(help="Directory with the files to copy.", metavar="PATH")],
    *,
    tag: Annotated[str, typer.Option("-t", "--tag", help="Name for the image.")],
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="The Kubefile; else 'Kubefile' in PATH.", show_default=False)
    ] = None,
    build_arg: Annotated[
        list[str] | None, typer.Option("--build-arg", help="Value for an ARG, as NAME=VALUE; may repeat.")
    ] = None,
    container_images: Annotated[
        list[Path] | None,
        typer.Option("--container-images", help="Archive of container images or directory of them; may repeat."),
    ] = None,
    ignored_images: Annotated[
        Path | None, typer.Option("--ignored-image-list", help="File of container images to leave out, one a line.")
    ] = None,
    search: Annotated[
        Search,
        typer.Option("-m", "--mode", help="How container images are found: by reading files, whatever is given."),
    ] = Search.LITE,
    contents: Annotated[
        Contents, typer.Option("--build-mode", help="'lite' leaves the container images out.")
    ] = Contents.ALL,
    kind: Annotated[
        Kind | None, typer.Option("--type", help="What the image is for; else told by its files.", show_default=False)
    ] = None,
) -> None:
    """Build a cluster image from a Kubefile.

    Container images that manifests mention are taken from the archives in 'container-images' beside the Kubefile, in
    PATH, and where --container-images says. Nothing is fetched.

    Examples:
        sealpy build -t shop:1 .
        sealpy build -t kubernetes:v1.34.4 -f Kubefile --build-arg ARCH=amd64 context
    """
    from sealpy.events import Warned  # noqa: PLC0415 - '--help' must not wait for any of them
    from sealpy.image.build import build  # noqa: PLC0415

    if search is not Search.LITE:
        message = f"--mode {search.value}: container images are found by reading files, as with lite"
        ctx.obj.emit(Warned(message=message, hint="list what is not found in manifests/imageList"))
    image = build(
        file or context / "Kubefile",
        context=context,
        tag=tag,
        store=open_store(),
        emit=ctx.obj.emit,
        build_args=_arguments(build_arg or []),
        container_images=container_images or [],
        ignored_images=_listed(ignored_images),
        mode=contents.value,
        type_=kind.value if kind else "",
    )
    _report(ctx, image)


def _report(ctx: typer.Context, image: ClusterImage) -> None:
    name = image.reference.familiar
    if ctx.obj.is_json:
        ctx.obj.json({"name": name, "digest": image.digest, "size": image.size})
    else:
        ctx.obj.text(f"{name}  {image.digest}  {units.size(image.size)}")


def _arguments(words: list[str]) -> dict[str, str]:
    from sealpy.errors import ConfigError  # noqa: PLC0415

    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise ConfigError(f"--build-arg {word!r}: not NAME=VALUE", hint=f"write --build-arg {name or 'NAME'}=VALUE")
        found[name] = value
    return found


def _listed(path: Path | None) -> list[str]:
    if path is None:
        return []
    from sealpy.errors import ConfigError  # noqa: PLC0415

    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", hint="mend --ignored-image-list") from error
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
