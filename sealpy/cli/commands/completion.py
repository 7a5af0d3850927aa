"""sealpy completion: print the script that completes commands in a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["Shell", "command"]


class Shell(StrEnum):
    """Name a shell that has completion."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def command(ctx: typer.Context, shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Print the script that completes commands in your shell: options, images, clusters, hook points and more.

    Examples:
        source <(sealpy completion bash)
        sealpy completion zsh > "${fpath[1]}/_sealpy"
        sealpy completion fish > ~/.config/fish/completions/sealpy.fish
    """
    from sealpy.cli.shells import SCRIPTS

    ctx.obj.text(SCRIPTS[shell])
