"""What every command that talks to image registries takes, and makes of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealpy.cli.output import Output
    from sealpy.image.building.private_list import PrivateList
    from sealpy.image.remote.credentials import Credentials
    from sealpy.image.remote.remotes import Remotes

__all__ = ["AuthFile", "Ca", "Insecure", "open_credentials", "open_remotes"]


Insecure = Annotated[
    bool, typer.Option("--insecure", "--skip-tls-verify", help="Trust whoever answers, also without TLS.")
]
Ca = Annotated[
    Path | None,
    typer.Option("--ca", help="PEM file with the authority of the registry's certificate.", show_default=False),
]
AuthFile = Annotated[
    Path | None,
    typer.Option(
        "--authfile", help="File with logins, instead of those of docker, podman, sealpy.", show_default=False
    ),
]


def open_credentials(output: Output, authfile: Path | None, private: Sequence[PrivateList] = ()) -> Credentials:
    """Open the files of logins; each secret that is read from them is shown nowhere."""
    from sealpy.image.remote.credentials import Credentials, auth_files

    files = auth_files(home(), os.environ, authfile=authfile)
    if private:
        from sealpy.image.building.private_list import ListedCredentials

        logins = {name: login for one in private for name, login in one.logins.items()}
        return ListedCredentials(files, logins, keep_secret=output.secrets.add)
    return Credentials(files, keep_secret=output.secrets.add)


def open_remotes(
    output: Output,
    *,
    insecure: bool,
    ca: Path | None,
    authfile: Path | None = None,
    private: Sequence[PrivateList] = (),
) -> Remotes:
    """Make the door to all registries; the logins of private lists are for what these name."""
    from sealpy.image.remote.remotes import Remotes
    from sealpy.image.remote.settings import read_settings
    from sealpy.image.remote.tls import Tls

    return Remotes(
        open_credentials(output, authfile, private),
        emit=output.emit,
        settings=read_settings(home() / "registries.yaml"),
        tls=Tls(ca, insecure),
        keep_secret=output.secrets.add,
    )
