"""The options of `sealpy build`: their types, names and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.build_output import read_exports

__all__ = [
    "Annotations", "Archives", "Base", "BaseWord", "BuildArgs", "BuildMode", "Contents", "Context", "DryRun", "File",
    "Ignored", "ImageLists", "Kind", "Labels", "Mode", "Net", "NoBill", "NoCache", "OutputTo", "Platforms",
    "PrivateLists", "PullBase", "RunNetwork", "Search", "Tag", "Type",
]  # fmt: skip


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


class BaseWord(StrEnum):
    """Say whether what FROM brings is in the image."""

    TRUE = "true"
    FALSE = "false"


class Net(StrEnum):
    """Say what commands of RUN reach."""

    NONE = "none"
    HOST = "host"


def _tell_of_search(ctx: typer.Context, search: Search) -> Search:
    """Say that there is one way to find container images, to who asks for another."""
    from sealpy.events import Warned

    if search is not Search.LITE:
        message = f"--mode {search.value}: container images are found by reading files, as with lite"
        ctx.obj.emit(Warned(message=message, hint="list what is not found in manifests/imageList"))
    return search


Context = Annotated[Path, typer.Argument(help="Directory with the files to copy.", metavar="PATH")]
Tag = Annotated[str, typer.Option("-t", "--tag", "--imageName", help="Name for the image.")]
File = Annotated[
    Path | None,
    typer.Option("-f", "--file", "--kubefile", help="The Kubefile; else 'Kubefile' in PATH.", show_default=False),
]
BuildArgs = Annotated[
    list[str] | None, typer.Option("--build-arg", metavar="NAME=VALUE", help="Value for an ARG; may repeat.")
]
Platforms = Annotated[
    list[str] | None,
    typer.Option(
        "--platform", metavar="PLATFORM", help="Platform such as linux/arm64; several, by commas, make one index."
    ),
]
Archives = Annotated[
    list[Path] | None,
    typer.Option(
        "--container-images", metavar="PATH", help="Archive of container images or directory of them; may repeat."
    ),
]
ImageLists = Annotated[
    list[Path] | None,
    typer.Option(
        "--image-list", metavar="FILE", help="File of container images to take besides, one a line; may repeat."
    ),
]
PrivateLists = Annotated[
    list[Path] | None,
    typer.Option(
        "--image-list-with-auth",
        metavar="FILE",
        help="YAML list of {registry, username, password or passwordFrom, images}: taken too, with that login.",
    ),
]
Ignored = Annotated[
    Path | None, typer.Option("--ignored-image-list", help="File of container images to leave out, one a line.")
]
Mode = Annotated[
    Search,
    typer.Option(
        "-m",
        "--mode",
        help="How container images are found: by reading files, whatever is given.",
        callback=_tell_of_search,
    ),
]
BuildMode = Annotated[Contents, typer.Option("--build-mode", help="'lite' leaves the container images out.")]
Base = Annotated[
    BaseWord,
    typer.Option(
        "--base",
        help="'false' leaves what FROM brings out: what is added to it becomes an application for clusters like it.",
    ),
]
Type = Annotated[
    Kind | None, typer.Option("--type", help="What the image is for; else told by its files.", show_default=False)
]
Labels = Annotated[
    list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="Label of the image; may repeat.")
]
Annotations = Annotated[
    list[str] | None,
    typer.Option("--annotation", metavar="NAME=VALUE", help="Annotation of its manifest; may repeat."),
]
PullBase = Annotated[
    str,
    typer.Option("--pull", metavar="<missing|ifnewer|always|never>", help="When images are pulled."),
]
NoBill = Annotated[
    bool, typer.Option("--no-sbom", help="Make no bill of materials; 'inspect --sbom' can make it later.")
]
RunNetwork = Annotated[Net, typer.Option("--network", help="What commands of RUN reach: nothing, or as this machine.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Make every layer again.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would go in; write, fetch and run nothing.")]
OutputTo = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FORMAT:DEST",
        help="Write the image to oci-archive:FILE or oci-dir:DIR as well; 'text' and 'json' are styles.",
        is_eager=True,
        callback=read_exports,
    ),
]
