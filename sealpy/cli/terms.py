"""The options that say how far a run may go: alike in every command that changes a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

__all__ = ["DrainOption", "DryRunOption", "ForceOption", "MaxFailOption", "Terms"]

MaxFailOption = Annotated[
    int,
    typer.Option(
        "--max-fail",
        metavar="N",
        min=0,
        help="Go on without up to N hosts, control planes excepted, that do not answer or fail: at a check, a step, or "
        "a plugin that a later run fires again when they join. They are named, and the exit code is 7.",
    ),
]
DrainOption = Annotated[
    float,
    typer.Option(
        "--drain-timeout",
        metavar="SECONDS",
        min=0,
        help="How long pods of a host that leaves, or is upgraded, may take to go.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")]
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Do not ask; let hosts leave, or be upgraded, though pods on them do not go in time."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Hold what the options say.

    `drastic` tells whether hosts that the file does not name may be taken out, and Kubernetes may change.
    """

    max_fail: int = 0
    drain: float = 300.0
    force: bool = False
    drastic: Literal["asked", "refused"] = "asked"
    skip: frozenset[str] = frozenset()  # ids of checks that are left out
