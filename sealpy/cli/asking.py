"""Questions to who sits at the terminal: on standard error, as standard output belongs to what the command gives."""

from __future__ import annotations

import getpass
import sys

import typer

__all__ = ["ask", "ask_new_secret", "ask_secret", "can_ask", "is_wanted"]


def can_ask() -> bool:
    """Tell whether somebody sits at standard input; a script does not."""
    return sys.stdin.isatty()


def is_wanted(question: str) -> bool:
    """Ask for yes or no; an empty answer is no. Raises typer.Abort where the input ends."""
    while True:
        match _line(f"{question} [y/N]: ").lower():
            case "y" | "yes":
                return True
            case "" | "n" | "no":
                return False
            case _:
                sys.stderr.write("answer y or n\n")


def ask(question: str) -> str:
    """Ask for a word until there is one. Raises typer.Abort where the input ends."""
    while True:
        if answer := _line(f"{question}: "):
            return answer
        sys.stderr.write("nothing was typed\n")


def ask_secret(question: str) -> str:
    """Ask for what is not shown while it is typed; it may be empty. Raises typer.Abort where the input ends."""
    try:
        return getpass.getpass(f"{question}: ")
    except (EOFError, KeyboardInterrupt) as error:
        sys.stderr.write("\n")
        raise typer.Abort from error


def ask_new_secret(question: str) -> str:
    """Ask likewise for a new one, which is typed twice, as nobody sees it; again while the two differ."""
    while (secret := ask_secret(question)) != ask_secret("the same once more"):
        sys.stderr.write("the two are not the same: type both again\n")
    return secret


def _line(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt as error:
        sys.stderr.write("\n")
        raise typer.Abort from error
    if not answer:
        sys.stderr.write("\n")
        raise typer.Abort
    return answer.strip()
