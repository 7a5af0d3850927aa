"""sealpy sign: sign a local cluster image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.home import open_store
from sealpy.cli.signatures import ask_passphrase
from sealpy.disk import expanded

__all__ = ["command"]


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="IMAGE", help="Name of the image.")],
    key: Annotated[
        Path,
        typer.Option("--key", metavar="FILE", help="Private key in PEM form: of 'sealpy keygen', OpenSSL or cosign."),
    ],
) -> None:
    """Sign a local cluster image.

    The signature stands beside the image and goes with it by 'save' and 'push'; cosign verifies it too. The passphrase
    of the key is asked for when it has one, or read from SEALPY_KEY_PASSPHRASE or standard input.

    Examples:
        sealpy sign shop:1 --key ~/.sealpy/release.key
    """
    from sealpy.image.trust import SigningKey, sign

    store = open_store()
    image = store.find(name)
    path = expanded(key)
    signing = SigningKey.load(path, passphrase=ask_passphrase(ctx.obj, f"passphrase of {path}"))
    sign(store, image.reference, signing)
    familiar, digest, fingerprint = image.reference.familiar, image.descriptor.digest, signing.public.fingerprint
    if ctx.obj.is_json:
        ctx.obj.json({"name": familiar, "digest": digest, "key": fingerprint})
    else:
        ctx.obj.text(f"{familiar}: signed {digest}, key {fingerprint[:16]}")
