"""sealpy push: bring a cluster image to a registry."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.compression import CompressionFormat, packed
from sealpy.cli.home import open_store
from sealpy.cli.remotes import AuthFile, Ca, Insecure, open_remotes
from sealpy.cli.renderers import units

__all__ = ["command"]


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="IMAGE", help="Name of the image here.")],
    destination: Annotated[
        str, typer.Argument(help="Name that it gets there; else the same.", metavar="NAME", show_default=False)
    ] = "",
    *,
    compression: CompressionFormat = None,
    everything: Annotated[
        bool, typer.Option("--all", hidden=True, help="Push every platform, as is always done.")
    ] = True,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """Bring a cluster image to a registry.

    What the registry has already is not sent, and what another repository of it has is mounted from there. The name is
    given last, so that it never means half an image. Signatures and bills of materials go with it.

    Layers go plain, as they are stored. With --compression-format gzip a packed copy goes instead, for tools that read
    no other, such as 'crane validate'. The copy has a digest of its own, to which no signature refers, and every push
    packs it anew.

    Examples:
        sealpy push registry.example.com/team/shop:1
        sealpy push shop:1 registry.example.com/team/shop:1
        sealpy push --compression-format gzip registry.example.com/team/shop:1
    """
    from sealpy.image.progress import Progress
    from sealpy.image.reference import Reference
    from sealpy.image.remote.push import push
    from sealpy.image.trust.carry import send_documents

    del everything  # the ancestor has the option, and its default is what sealpy does
    source = Reference.parse(name)
    target = Reference.parse(destination) if destination else source
    store = open_store()
    image = store.find(source)
    progress = Progress(ctx.obj.emit, f"push {target.familiar}")
    remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
    with packed(store, image, compression, progress=progress, emit=ctx.obj.emit) as top:
        pushed = push(store, remotes, top, target, progress=progress)
        documents = send_documents(store, remotes, top, target)
    there = f"{pushed.present + pushed.mounted} of {pushed.present + pushed.mounted + pushed.sent} blobs were there"
    progress.finish(f"{units.size(pushed.bytes)} sent, {there}")
    if ctx.obj.is_json:
        counts = {"present": pushed.present, "mounted": pushed.mounted, "sent": pushed.sent, "bytes": pushed.bytes}
        counts["documents"] = documents
        digests = {"digest": pushed.digest, "stored_digest": image.descriptor.digest}
        ctx.obj.json({"name": target.familiar, **digests, **counts})
    else:
        ctx.obj.text(f"{target.familiar}  {pushed.digest}")
