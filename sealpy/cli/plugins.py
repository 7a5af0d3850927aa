"""The option that names directories of plugins, alike in every command that fires any."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["PluginsDirOption"]

PluginsDirOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugins-dir",
        metavar="DIR",
        help="Take plugins, and the documents beside them, from this directory too; may repeat.",
    ),
]
