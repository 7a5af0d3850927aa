"""sealpy keygen: make a key that signs images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.asking import ask_new_secret
from sealpy.cli.home import home
from sealpy.cli.signatures import ask_passphrase
from sealpy.disk import expanded, make_private
from sealpy.errors import ConfigError

__all__ = ["command"]


def command(
    ctx: typer.Context,
    prefix: Annotated[Path, typer.Argument(metavar="NAME", help="Where: NAME.key and NAME.pub are written.")] = Path(
        "sealpy"
    ),
) -> None:
    """Make a key that signs images: NAME.key stays with you, NAME.pub goes to who verifies them.

    The passphrase that locks NAME.key is asked for, or read from SEALPY_KEY_PASSPHRASE or standard input; an empty one
    leaves it open to whoever reads the file.

    Examples:
        sealpy keygen ~/.sealpy/release
        SEALPY_KEY_PASSPHRASE=… sealpy keygen ci
    """
    from sealpy.image.trust import SigningKey

    if prefix.name in {"", ".."}:
        raise ConfigError(f"'{prefix}': is the name of no file", hint=f"such as {prefix / 'release'}")
    ask = ask_passphrase(ctx.obj, "passphrase for the new key (empty: none)", at_terminal=ask_new_secret)
    place, passphrase = expanded(prefix), ask()
    if place.absolute().parent == home():
        make_private(home())
    key = SigningKey.create(place, passphrase=passphrase)
    private = Path(key.public.name).with_suffix(".key")
    if ctx.obj.is_json:
        ctx.obj.json({"private": str(private), "public": key.public.name, "fingerprint": key.public.fingerprint})
    else:
        locked = "" if passphrase else ", it has no passphrase"
        ctx.obj.text(
            f"{private}: keep it to yourself{locked}\n{key.public.name}: give it to who verifies, for ~/.sealpy/keys"
        )
