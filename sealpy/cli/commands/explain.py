"""sealpy explain: say what a field of a Clusterfile is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealpy.clusterfile.explain import Explanation

__all__ = ["command"]

_WIDTH = 96
_INDENT = "    "


def command(
    ctx: typer.Context,
    field: Annotated[
        str,
        typer.Argument(
            metavar="FIELD", help="A field by its path, or a kind; default: the Cluster.", show_default=False
        ),
    ] = "Cluster",
) -> None:
    """Say what a field of a Clusterfile is for, and which fields are below it.

    Examples:
        sealpy explain hosts
        sealpy explain Cluster.spec.ssh.passwordFrom
        sealpy explain Plugin.spec.action
        sealpy explain ClusterConfiguration.networking
    """
    from dataclasses import asdict

    from sealpy.clusterfile.explain import explain

    found = explain(field)
    if ctx.obj.is_json:
        ctx.obj.json(asdict(found))
    else:
        ctx.obj.text("\n".join(_lines(found)))


def _lines(found: Explanation) -> Iterator[str]:
    yield f"KIND:     {found.kind}"
    if found.path:
        yield f"FIELD:    {found.path} <{found.holds}>"
    if found.choices:
        yield f"ONE OF:   {', '.join(found.choices)}"
    if found.default:
        yield f"DEFAULT:  {found.default}"
    if found.text:
        yield from ("", "DESCRIPTION:", *_wrapped(found.text))
    if found.fields:
        yield from ("", "FIELDS:")
    for field in found.fields:
        yield f"  {field.name} <{field.holds}>{'  (required)' if field.required else ''}"
        yield from _wrapped(field.text)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
