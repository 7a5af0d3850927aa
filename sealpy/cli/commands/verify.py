"""sealpy verify: verify who signed a local cluster image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.home import home, open_store
from sealpy.cli.signatures import trusted_keys
from sealpy.disk import expanded

__all__ = ["command"]


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="IMAGE", help="Name of the image.")],
    key: Annotated[
        list[Path] | None,
        typer.Option(
            "--key", metavar="FILE", help="Public key in PEM form; default: those in ~/.sealpy/keys. May repeat."
        ),
    ] = None,
) -> None:
    """Verify who signed a local cluster image, without asking anybody.

    The signature covers the digest of the manifest, and with it every byte of the image; 'sealpy store check' reads
    them all. Ends with exit code 5 when none of the keys signed it.

    Examples:
        sealpy verify shop:1 --key release.pub
    """
    from sealpy.errors import ConfigError
    from sealpy.image.trust import PublicKey, verify

    store = open_store()
    image = store.find(name)
    keys = tuple(PublicKey.load(expanded(path)) for path in key or ()) or trusted_keys()
    if not keys:
        hint = f"sealpy verify {name} --key FILE.pub, or put the file into {home() / 'keys'}"
        raise ConfigError("no key to verify by", hint=hint)
    signers = verify(store, image.reference, keys)
    familiar, digest = image.reference.familiar, image.descriptor.digest
    if ctx.obj.is_json:
        ctx.obj.json({"name": familiar, "digest": digest, "keys": [signer.fingerprint for signer in signers]})
    else:
        ctx.obj.text(f"{familiar}: {digest} is signed by {', '.join(signer.name for signer in signers)}")
