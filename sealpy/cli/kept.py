"""Clusters that were made from here: the options that name one, and the file that its last run kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.home import home
from sealpy.errors import ConfigError, did_you_mean

__all__ = ["ClusterOption", "KeptFileOption", "KeptPasswordOption", "kept_file", "known_clusters"]

ClusterOption = Annotated[str, typer.Option("--cluster", "-c", help="Name of the cluster.")]
KeptFileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="The Clusterfile; default: the one that the last run kept.")
]
KeptPasswordOption = Annotated[
    str, typer.Option("--passwd", "-p", help="Password of the machines; '-' asks for it, or reads standard input.")
]


def known_clusters() -> dict[str, Path]:
    """Give the Clusterfile that the last run kept of each cluster, by name and in order."""
    from sealpy.phases.keep_clusterfile import KEPT

    return {path.parent.name: path for path in sorted((home() / "clusters").glob(f"*/{KEPT}"))}


def kept_file(name: str, *, otherwise: str) -> Path:
    """Find that of one cluster; raises ConfigError that says which are known here, and what to do `otherwise`."""
    known = known_clusters()
    if name in known:
        return known[name]
    others = f"name one of {', '.join(known)} by --cluster, or" if known else "no cluster was made from here:"
    raise ConfigError(
        f"cluster '{name}': nothing is known of it on this machine",
        hint=did_you_mean(name, known) or f"{others} {otherwise}",
    )
