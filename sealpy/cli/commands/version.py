"""sealpy version: show the version."""

from __future__ import annotations

import typer

from sealpy import __version__

__all__ = ["command"]


def command(ctx: typer.Context) -> None:
    """Show the version.

    Examples:
        sealpy version
        sealpy version --output json
    """
    if ctx.obj.is_json:
        ctx.obj.json({"version": __version__})
    else:
        ctx.obj.text(f"sealpy {__version__}")
