"""sealpy pull: bring cluster images from a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.remotes import AuthFile, Ca, Insecure, open_remotes
from sealpy.image.remote import PullPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealpy.image.manifest import Platform

__all__ = ["command"]


def command(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Names of the images.")],
    *,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", help="Platform such as linux/arm64, several by commas, or 'all'; else this one's."),
    ] = None,
    policy: Annotated[PullPolicy, typer.Option("--policy", help="When the registry is asked.")] = PullPolicy.ALWAYS,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """Bring cluster images from a registry.

    Only what is missing here is fetched, and a pull that was cut goes on where it ended. An image is named when it is
    here whole and verified; its signatures and bills of materials come with it. Mirrors are set in 'registries.yaml' in
    the home of sealpy.

    Examples:
        sealpy pull registry.example.com/team/kubernetes:v1.34.4
        sealpy pull --platform linux/amd64,linux/arm64 registry.example.com/team/kubernetes:v1.34.4
    """
    from sealpy.image.reference import Reference
    from sealpy.image.remote.policy import ensure
    from sealpy.image.trust.carry import bring_documents

    references = [Reference.parse(name) for name in names]
    platforms = _platforms(platform or [])
    remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
    store = open_store()
    for reference in references:
        descriptor = ensure(store, remotes, reference, policy=policy, emit=ctx.obj.emit, platforms=platforms)
        if policy is not PullPolicy.NEVER:
            bring_documents(store, remotes.sources(reference), descriptor)
        if ctx.obj.is_json:
            ctx.obj.json({"name": reference.familiar, "digest": descriptor.digest})
        else:
            ctx.obj.text(f"{reference.familiar}  {descriptor.digest}")


def _platforms(words: list[str]) -> Sequence[Platform] | None:
    from sealpy.image.remote.platforms import ALL, read_platform

    given = [part for word in words for part in word.split(",")]
    return None if ALL in given else [read_platform(text) for text in given]
