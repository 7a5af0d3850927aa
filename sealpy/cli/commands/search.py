"""sealpy search: list the tags of repositories."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.remotes import AuthFile, Ca, Insecure, open_remotes

__all__ = ["command"]


def command(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="REPOSITORY", help="Repositories; a tag is passed over.")],
    *,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """List the tags of repositories.

    Examples:
        sealpy search registry.example.com/team/kubernetes
    """
    from sealpy.image.reference import Reference

    references = [Reference.parse(name) for name in names]
    remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
    rows = []
    for reference in references:
        shown = Reference(reference.domain, reference.path).familiar
        rows += [(shown, tag) for tag in remotes.repository(reference).tags()]
    ctx.obj.table("", ("Name", "Tag"), rows)
