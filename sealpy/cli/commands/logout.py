"""sealpy logout: forget a login."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.commands.login import registry_of
from sealpy.cli.remotes import AuthFile, open_credentials

__all__ = ["command"]


def command(
    ctx: typer.Context,
    registry: Annotated[str, typer.Argument(metavar="REGISTRY", help="Domain of the registry, with its port.")],
    *,
    authfile: AuthFile = None,
) -> None:
    """Forget a login.

    Only what 'sealpy login' keeps is forgotten; that docker or podman have a login too is said.

    Examples:
        sealpy logout registry.example.com
    """
    from sealpy.errors import ConfigError
    from sealpy.events import Warned

    domain = registry_of(registry)
    credentials = open_credentials(ctx.obj, authfile)
    where = credentials.forget(domain)
    if other := credentials.find(domain).source:
        message = f"{domain}: a login is kept in {other} too, and will be used"
        ctx.obj.emit(Warned(message=message, hint="log out there as well, by the tool that wrote it"))
    elif not where:
        raise ConfigError(f"{domain}: no login is kept in {credentials.written}", hint="nothing is to be done")
    if ctx.obj.is_json:
        ctx.obj.json({"registry": domain, "removed_from": where})
    elif where:
        ctx.obj.text(f"{domain}: logged out; removed from {where}")
