"""sealpy build: build a cluster image from a Kubefile."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.build_output import EXPORTS, Export, read_exports
from sealpy.cli.home import open_store
from sealpy.cli.pairs import pairs
from sealpy.cli.pulling import bringing, obtaining, read_policy
from sealpy.cli.remotes import AuthFile, Ca, Insecure, open_remotes
from sealpy.cli.renderers import units

if TYPE_CHECKING:
    from sealpy.image.bases import Obtain
    from sealpy.image.build import Bring, Built
    from sealpy.image.manifest import Platform
    from sealpy.image.reference import Reference
    from sealpy.image.wish import Wish

__all__ = ["Contents", "Kind", "Net", "Search", "command"]

# ruff: noqa: PLC0415 - '--help' must not wait for any of them


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
        "--platform", metavar="LIST", help="Platform such as linux/arm64; several, by commas, make one index."
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
    typer.Option("--pull", metavar="WHEN", help="When images are pulled: missing, ifnewer, always, never."),
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
        help="Write the image to oci-archive:FILE or oci-dir:DIR as well; 'json' and 'text' are the styles.",
        is_eager=True,
        callback=read_exports,
    ),
]


def command(  # noqa: PLR0917 - typer needs every option as a parameter
    ctx: typer.Context,
    context: Context,
    tag: Tag,
    file: File = None,
    build_arg: BuildArgs = None,
    platform: Platforms = None,
    container_images: Archives = None,
    image_list: ImageLists = None,
    ignored_images: Ignored = None,
    search: Mode = Search.LITE,  # noqa: ARG001 - its callback says what it means here
    contents: BuildMode = Contents.ALL,
    kind: Type = None,
    label: Labels = None,
    annotation: Annotations = None,
    pull: PullBase = "missing",
    network: RunNetwork = Net.NONE,
    output: OutputTo = None,  # noqa: ARG001 - its callback leaves what it means in ctx.meta
    ca: Ca = None,
    authfile: AuthFile = None,
    *,
    insecure: Insecure = False,
    no_sbom: NoBill = False,
    no_cache: NoCache = False,
    dry_run: DryRun = False,
) -> None:
    """Build a cluster image from a Kubefile.

    Container images come out of archives in 'container-images' beside the Kubefile or in PATH, or their registries.

    Examples:
        sealpy build -t shop:1 --dry-run .
        sealpy build -t shop:1 --platform linux/amd64,linux/arm64 --output oci-archive:shop.tar .
    """
    from sealpy.image.wish import Wish

    wish = Wish(
        kubefile=file or context / "Kubefile",
        context=context,
        tag=_reference(tag),
        build_args=pairs(build_arg or (), "--build-arg"),
        container_images=container_images or [],
        image_lists=image_list or [],
        ignored_images=_ignored(ignored_images),
        mode=contents.value,
        type_=kind.value if kind else "",
        labels=pairs(label or (), "--label"),
        annotations=pairs(annotation or (), "--annotation"),
        platforms=_platforms(platform or []),
        caching="renew" if no_cache else "use",
        network=network.value,
    )
    if dry_run:
        _preview(ctx, wish)
    else:
        policy, remotes = read_policy(pull), open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
        built = _build(ctx, wish, obtaining(ctx.obj, policy, remotes), bringing(policy, remotes))
        if not no_sbom:
            _attach_bills(built)
        _report(ctx, built)


def _reference(name: str) -> Reference:
    from sealpy.image.reference import Reference

    return Reference.parse(name)


def _build(ctx: typer.Context, wish: Wish, obtain: Obtain, bring: Bring | None) -> Built:
    from sealpy.image.build import build
    from sealpy.image.remote.tls import Tls

    wish = replace(wish, tls=Tls(ctx.params["ca"], ctx.params["insecure"]))
    return build(wish, store=open_store(), emit=ctx.obj.emit, obtain=obtain, bring=bring)


def _attach_bills(built: Built) -> None:
    from sealpy.image.trust.bills import attach_bills

    for image in built.images:
        attach_bills(image)


def _preview(ctx: typer.Context, wish: Wish) -> None:
    from sealpy.cli.preview import preview_data, preview_lines
    from sealpy.image.preview import preview

    for one in preview(wish, store=open_store(), emit=ctx.obj.emit):
        if ctx.obj.is_json:
            ctx.obj.json(preview_data(one, wish.tag.familiar))
        else:
            ctx.obj.text("\n".join(preview_lines(one, wish.tag.familiar)))


def _report(ctx: typer.Context, built: Built) -> None:
    """Write the image where it is wanted besides, and tell its name."""
    exports: list[Export] = ctx.meta[EXPORTS]
    for export in exports:
        export.write(open_store(), built.reference, ctx.obj.emit)
    name = built.reference.familiar
    if ctx.obj.is_json:
        ctx.obj.json({"name": name, "digest": built.digest, "size": built.size})
    else:
        ctx.obj.text(f"{name}  {built.digest}  {units.size(built.size)}")


def _platforms(words: list[str]) -> list[Platform]:
    from sealpy.image.remote.platforms import read_platform

    return [read_platform(part) for word in words for part in word.split(",")]


def _ignored(path: Path | None) -> list[Reference]:
    """Read the list of images to leave out; raises ConfigError with every line that is no reference."""
    if path is None:
        return []
    from sealpy.errors import ConfigError, counted
    from sealpy.image.finding import listed

    try:
        mentions, problems = listed(path.read_bytes(), shown=str(path))
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ConfigError(f"{path}: {reason}", hint="mend the path after --ignored-image-list") from error
    if problems:
        raise ConfigError(f"{counted(len(problems), 'line')} of {path} cannot be read", problems=problems)
    return [mention.reference for mention in mentions]
