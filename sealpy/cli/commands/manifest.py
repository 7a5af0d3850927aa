"""sealpy manifest: put images for several platforms under one name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.compression import CompressionFormat, packed
from sealpy.cli.home import open_store
from sealpy.cli.lazy import SealpyCommand, SealpyGroup
from sealpy.cli.pairs import pairs
from sealpy.cli.remotes import AuthFile, Ca, Insecure, open_remotes
from sealpy.cli.renderers import units

if TYPE_CHECKING:
    from sealpy.image.manifest import Descriptor
    from sealpy.image.reference import Reference
    from sealpy.image.remote.remotes import Remotes

__all__ = ["app"]


app = typer.Typer(
    help="Put images for several platforms under one name.\n\n"
    "Examples:\n    sealpy manifest create shop:1 shop:1-amd64 shop:1-arm64\n"
    "    sealpy manifest push shop:1 registry.example.com/team/shop:1",
    cls=SealpyGroup,
    add_completion=False,
    rich_markup_mode=None,
)

_LIST = "Name of the index."
Everything = Annotated[bool, typer.Option("--all", help="List every platform of an image that has several.")]


@app.command("create", cls=SealpyCommand)
def create_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="INDEX", help=_LIST)],
    images: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE", help="Images to list; pulled when they are not here.")
    ] = None,
    *,
    everything: Everything = False,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """Make an index, and list images in it.

    Examples:
        sealpy manifest create shop:1
        sealpy manifest create shop:1 shop:1-amd64 shop:1-arm64
    """
    from sealpy.image import indexes
    from sealpy.image.reference import Reference

    target = Reference.parse(name)
    remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
    found = [(text, _image(ctx, remotes, text, every=everything)) for text in images or []]
    made = indexes.create(open_store(), target, found, platforms=None if everything else ())
    _tell(ctx, target, made)


@app.command("add", cls=SealpyCommand)
def add_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="INDEX", help=_LIST)],
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Image to list; pulled when it is not here.")],
    *,
    everything: Everything = False,
    os: Annotated[str, typer.Option("--os", help="System to list it for, instead of its own.")] = "",
    arch: Annotated[str, typer.Option("--arch", help="Processor to list it for, instead of its own.")] = "",
    variant: Annotated[str, typer.Option("--variant", help="Variant of the processor, such as v7.")] = "",
    annotation: Annotated[
        list[str] | None,
        typer.Option("--annotation", metavar="NAME=VALUE", help="Annotation of the entry; may repeat."),
    ] = None,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """List an image in an index, in place of the one for the same platform.

    Examples:
        sealpy manifest add shop:1 shop:1-arm64 --arch arm64 --variant v8
    """
    from sealpy.image import indexes
    from sealpy.image.reference import Reference

    target = Reference.parse(name)
    annotations = pairs(annotation or (), "--annotation")
    entry = indexes.Entry(os=os, architecture=arch, variant=variant, annotations=annotations)
    open_store().resolve(target)
    remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
    found = _image(ctx, remotes, image, every=everything)
    made = indexes.add(open_store(), target, found, entry=entry, platforms=None if everything else ())
    _tell(ctx, target, made)


@app.command("remove", cls=SealpyCommand)
def remove_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="INDEX", help=_LIST)],
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Digest or platform of the image to take out.")],
) -> None:
    """Take an image out of an index.

    Examples:
        sealpy manifest remove shop:1 linux/arm64
    """
    from sealpy.image import indexes
    from sealpy.image.reference import Reference

    target = Reference.parse(name)
    _tell(ctx, target, indexes.remove(open_store(), target, entry))


@app.command("inspect", cls=SealpyCommand)
def inspect_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="IMAGE", help="Image here, or in its registry.")],
    *,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """Show a manifest or an index as it is: the one here, else that of the registry.

    Examples:
        sealpy manifest inspect registry.example.com/team/shop:1
    """
    from sealpy.errors import StoreError
    from sealpy.image.reference import Reference

    reference = Reference.parse(name)
    store = open_store()
    try:
        data = store.read(store.resolve(reference).digest)
    except StoreError:
        remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
        _, data = remotes.sources(reference).manifest()
    ctx.obj.json(json.loads(data))


@app.command("push", cls=SealpyCommand)
def push_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="INDEX", help=_LIST)],
    destination: Annotated[
        str, typer.Argument(help="Name that it gets there; else the same.", metavar="NAME", show_default=False)
    ] = "",
    *,
    compression: CompressionFormat = None,
    remove: Annotated[bool, typer.Option("--rm", help="Take the name away here when all is there.")] = False,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """Bring an index and all that it lists to a registry.

    Examples:
        sealpy manifest push shop:1 registry.example.com/team/shop:1
    """
    from sealpy.image.progress import Progress
    from sealpy.image.reference import Reference
    from sealpy.image.remote.push import push

    source = Reference.parse(name)
    target = Reference.parse(destination) if destination else source
    store = open_store()
    progress = Progress(ctx.obj.emit, f"push {target.familiar}")
    remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
    image = store.find(source)
    with packed(store, image, compression, progress=progress, emit=ctx.obj.emit) as top:
        pushed = push(store, remotes, top, target, progress=progress)
    progress.finish(f"{units.size(pushed.bytes)} sent")
    if remove:
        store.remove(source)
    if ctx.obj.is_json:
        digests = {"digest": pushed.digest, "stored_digest": image.descriptor.digest}
        ctx.obj.json({"name": target.familiar, **digests, "bytes": pushed.bytes})
    else:
        ctx.obj.text(f"{target.familiar}  {pushed.digest}")


def _image(ctx: typer.Context, remotes: Remotes, text: str, *, every: bool) -> Descriptor:
    """Find an image here, or pull it."""
    from sealpy.errors import RemoteError, StoreError
    from sealpy.image.progress import Progress
    from sealpy.image.reference import Reference
    from sealpy.image.remote.policy import missing
    from sealpy.image.remote.pull import pull

    reference = Reference.parse(text)
    store = open_store()
    try:
        return store.resolve(reference)
    except StoreError:
        progress = Progress(ctx.obj.emit, f"pull {reference.familiar}")
        try:
            pulled = pull(store, remotes.sources(reference), progress=progress, platforms=None if every else ())
        except RemoteError as error:
            raise missing(store, reference, error) from error
        progress.finish(pulled.descriptor.digest)
        return pulled.descriptor


def _tell(ctx: typer.Context, name: Reference, made: Descriptor) -> None:
    if ctx.obj.is_json:
        ctx.obj.json({"name": name.familiar, "digest": made.digest})
    else:
        ctx.obj.text(f"{name.familiar}  {made.digest}")
