"""The options that name a cluster which was made from here, and let sealpy into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ClusterOption", "KeptFileOption", "KeptPasswordOption"]

ClusterOption = Annotated[str, typer.Option("--cluster", "-c", help="Name of the cluster.")]
KeptFileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="The Clusterfile; default: the one that the last run kept.")
]
KeptPasswordOption = Annotated[
    str, typer.Option("--passwd", "-p", help="Password of the machines; '-' asks for it, or reads standard input.")
]
