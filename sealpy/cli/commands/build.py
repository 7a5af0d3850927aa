"""sealpy build: build a cluster image from a Kubefile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sealpy.cli import build_options as options
from sealpy.cli.build_output import EXPORTS, Export
from sealpy.cli.home import open_store
from sealpy.cli.pairs import pairs
from sealpy.cli.pulling import bringing, obtaining, read_policy, read_private_lists
from sealpy.cli.remotes import AuthFile, Ca, Insecure, open_remotes
from sealpy.cli.renderers import units

if TYPE_CHECKING:
    from sealpy.image.building.build import Built
    from sealpy.image.building.wish import Wish
    from sealpy.image.manifest import Platform
    from sealpy.image.reference import Reference

__all__ = ["command"]


def command(  # noqa: PLR0917 - typer needs every option as a parameter
    ctx: typer.Context,
    context: options.Context,
    tag: options.Tag,
    file: options.File = None,
    build_arg: options.BuildArgs = None,
    platform: options.Platforms = None,
    container_images: options.Archives = None,
    image_list: options.ImageLists = None,
    private_lists: options.PrivateLists = None,
    ignored_images: options.Ignored = None,
    search: options.Mode = options.Search.LITE,  # noqa: ARG001 - its callback says what it means here
    contents: options.BuildMode = options.Contents.ALL,
    base: options.Base = options.BaseWord.TRUE,
    kind: options.Type = None,
    label: options.Labels = None,
    annotation: options.Annotations = None,
    pull: options.PullBase = "missing",  # noqa: ARG001 - for all that make the image: they find it in ctx.params
    network: options.RunNetwork = options.Net.NONE,
    output: options.OutputTo = None,  # noqa: ARG001 - its callback leaves what it means in ctx.meta
    ca: Ca = None,  # noqa: ARG001 - likewise
    authfile: AuthFile = None,  # noqa: ARG001 - likewise
    *,
    insecure: Insecure = False,  # noqa: ARG001 - likewise
    no_sbom: options.NoBill = False,  # noqa: ARG001 - likewise
    no_cache: options.NoCache = False,
    dry_run: options.DryRun = False,
) -> None:
    """Build a cluster image from a Kubefile.

    Container images come out of archives in 'container-images' beside the Kubefile or in PATH, or their registries.

    Examples:
        sealpy build -t shop:1 --dry-run .
        sealpy build -t shop:1 --platform linux/amd64,linux/arm64 --output oci-archive:shop.tar .
    """
    from sealpy.image.building.wish import Wish

    wish = Wish(
        kubefile=file or context / "Kubefile",
        context=context,
        tag=_reference(tag),
        build_args=pairs(build_arg or (), "--build-arg"),
        container_images=container_images or [],
        image_lists=image_list or [],
        private_lists=read_private_lists(ctx.obj, private_lists or ()),
        ignored_images=_ignored(ignored_images),
        mode=contents.value,
        base="kept" if base is options.BaseWord.TRUE else "left out",
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
        _report(ctx, _build(ctx, wish))


def _reference(name: str) -> Reference:
    from sealpy.image.reference import Reference

    return Reference.parse(name)


def _build(ctx: typer.Context, wish: Wish) -> Built:
    """Make the image, and its bill of materials; where it is written besides is looked at before."""
    from sealpy.image.building.build import build
    from sealpy.image.remote.tls import Tls
    from sealpy.image.trust.bills import attach_bills

    for export in ctx.meta[EXPORTS]:
        export.check()
    given = ctx.params
    wish = replace(wish, tls=Tls(given["ca"], given["insecure"]))
    policy = read_policy(given["pull"])
    remotes = open_remotes(
        ctx.obj, insecure=given["insecure"], ca=given["ca"], authfile=given["authfile"], private=wish.private_lists
    )
    obtain, bring = obtaining(ctx.obj, policy, remotes), bringing(policy, remotes)
    built = build(wish, store=open_store(), emit=ctx.obj.emit, obtain=obtain, bring=bring)
    for image in built.images if not given["no_sbom"] else ():
        attach_bills(image)
    return built


def _preview(ctx: typer.Context, wish: Wish) -> None:
    from sealpy.cli.preview import preview_data, preview_lines
    from sealpy.image.building.preview import preview

    for one in preview(wish, store=open_store(), emit=ctx.obj.emit):
        if ctx.obj.is_json:
            ctx.obj.json(preview_data(one, wish.tag.familiar))
        else:
            ctx.obj.text("\n".join(preview_lines(one, wish.tag.familiar, screen=ctx.obj.screen)))


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
