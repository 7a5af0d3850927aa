"""A question of yes or no to who sits at the terminal."""

from __future__ import annotations

import sys

import typer

__all__ = ["can_ask", "is_wanted"]


def can_ask() -> bool:
    """Tell whether somebody sits at standard input; a script does not."""
    return sys.stdin.isatty()


def is_wanted(question: str) -> bool:
    """Ask on standard error, as standard output belongs to what the command gives; an empty answer is no.

    Raises typer.Abort where the input ends.
    """
    while True:
        sys.stderr.write(f"{question} [y/N]: ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            sys.stderr.write("\n")
            raise typer.Abort
        match answer.strip().lower():
            case "y" | "yes":
                return True
            case "" | "n" | "no":
                return False
            case _:
                sys.stderr.write("answer y or n\n")
