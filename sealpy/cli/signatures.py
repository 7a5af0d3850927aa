"""What the commands share that sign and verify: trusted keys, passphrases, the choice whether to verify."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.asking import ask_secret, can_ask
from sealpy.cli.home import home, open_store

if TYPE_CHECKING:
    from sealpy.cli.output import Output
    from sealpy.image.trust import PublicKey

__all__ = ["Verify", "VerifyKeys", "Verifying", "admitted", "ask_passphrase", "trusted_keys"]


_VARIABLES = ("SEALPY_KEY_PASSPHRASE", "COSIGN_PASSWORD")

Verify = Annotated[
    str,
    typer.Option(
        "--verify",
        metavar="<always|if-possible|never>",
        help="Whether the image's signature is verified before the first connection.",
    ),
]
VerifyKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--verify-key", metavar="FILE", help="Public key to verify it by, beside those in ~/.sealpy/keys; may repeat."
    ),
]


@dataclass(frozen=True, slots=True)
class Verifying:
    """Hold when an image is to be verified, as the operator wrote it, and by which keys."""

    when: str = "if-possible"
    keys: tuple[Path, ...] = ()


def trusted_keys(more: Iterable[Path] = ()) -> tuple[PublicKey, ...]:
    """Read the public keys `<home>/keys/*.pub`, and some more; raises ImageError for a file that is none."""
    from sealpy.image.trust import PublicKey

    return tuple(PublicKey.load(path) for path in (*more, *sorted((home() / "keys").glob("*.pub"))))


def admitted(output: Output, image: str, verifying: Verifying) -> None:
    """Verify an image as the operator wishes; raises ImageError to refuse it, ConfigError for a wish that is none."""
    from sealpy.errors import ConfigError, did_you_mean
    from sealpy.events import Warned
    from sealpy.image.trust import Verification, admit

    words = [how.value for how in Verification]
    if verifying.when not in words:
        hint = did_you_mean(verifying.when, words) or f"one of {', '.join(words)}"
        raise ConfigError(f"--verify '{verifying.when}': not known", hint=hint)
    how = Verification(verifying.when)
    keys = () if how is Verification.NEVER else trusted_keys(verifying.keys)
    if told := admit(open_store(), image, keys, how, trusted=str(home() / "keys")):
        hint = f"trusted keys stand in {home() / 'keys'}; --verify always refuses such an image"
        output.emit(Warned(message=told, hint=hint))


def ask_passphrase(
    output: Output, question: str, *, at_terminal: Callable[[str], str] = ask_secret
) -> Callable[[], str]:
    """Give a way to the passphrase of a key: a variable of the environment, else the terminal, else standard input.

    `at_terminal` asks there: `ask_new_secret` for a new one.
    """

    def ask() -> str:
        given = next((os.environ[name] for name in _VARIABLES if name in os.environ), None)
        if given is None and can_ask():
            given = at_terminal(question)
        elif given is None:
            given = sys.stdin.readline().rstrip("\n")
        output.secrets.add(given)
        return given

    return ask
