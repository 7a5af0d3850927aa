"""The options by which the command line changes a Clusterfile: `--set` and `--env`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sealpy.clusterfile import Changes

__all__ = ["EnvOption", "SetOption", "changes_of"]

EnvOption = Annotated[
    list[str] | None,
    typer.Option(
        "--env", "-e", metavar="NAME=VALUE", help="For scripts and templates; NAME alone: its value here; may repeat."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a field: ssh.port=2222, hosts[0].env=[A=b]; may repeat."),
]


def changes_of(sets: Iterable[str] | None, env: Iterable[str] | None = None) -> Changes:
    """Give what the options say."""
    from sealpy.clusterfile import Changes

    return Changes(tuple(sets or ()), tuple(env or ()))
