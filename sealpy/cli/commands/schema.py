"""sealpy schema: print the JSON Schema of a Clusterfile."""

from __future__ import annotations

import typer

__all__ = ["command"]


def command(ctx: typer.Context) -> None:
    """Print the JSON Schema of a Clusterfile, for editors that complete and check YAML.

    Examples:
        sealpy schema > ~/.config/sealpy-clusterfile.json
        # yaml-language-server: $schema=sealpy-clusterfile.json    (as the first line of a Clusterfile)
    """
    from sealpy.cli.jsontext import indented
    from sealpy.clusterfile.schema import schema

    ctx.obj.text(indented(schema()))
