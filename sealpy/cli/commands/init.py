"""sealpy init: look at machines and write a first Clusterfile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.logins import (
    HostKeysOption,
    JumpOption,
    KeyPasswordOption,
    MastersOption,
    NodesOption,
    PasswordOption,
    PortOption,
    PrivateKeyOption,
    SshConfigOption,
    UserOption,
    logins_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealpy.cli.output import Output
    from sealpy.clusterfile import Clusterfile
    from sealpy.inventory import Facts, Logins

__all__ = ["command"]


def command(  # noqa: PLR0917 - typer needs every option as a parameter
    ctx: typer.Context,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The cluster image, such as kubernetes:v1.34.4.")],
    masters: MastersOption,
    nodes: NodesOption = "",
    name: Annotated[str, typer.Option("--name", help="Name of the cluster.")] = "my-cluster",
    user: UserOption = "",
    password: PasswordOption = "",
    port: PortOption = None,
    private_key: PrivateKeyOption = None,
    key_password: KeyPasswordOption = "",
    jump: JumpOption = "",
    file: Annotated[Path, typer.Option("--file", "-f", help="Where to write it; '-' prints it.")] = Path("Clusterfile"),
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    *,
    no_look: Annotated[bool, typer.Option("--no-look", help="Do not connect: write what was typed.")] = False,
) -> None:
    """Look at machines over SSH, and write a Clusterfile with comments.

    Nothing is changed on them, a file that is there is never overwritten, and no password is written. The image must be
    here, and be that of a cluster.

    Examples:
        sealpy init kubernetes:v1.34.4 -m 10.0.0.1 -n 10.0.0.2-10.0.0.4 --pk ~/.ssh/id_ed25519
        sealpy init kubernetes:v1.34.4 -m 10.0.0.1 -u admin -p - -f shop.yaml --name shop
    """
    from sealpy.cli.cluster import Given, ask_secrets
    from sealpy.cli.wish import Wish, clusterfile_of

    _refuse_to_overwrite(file)
    logins = logins_of(host_keys, ssh_config)
    account, key = ask_secrets(
        ctx.obj,
        Given("--passwd", password, f"password of {user or 'the machines'}"),
        Given("--pk-passwd", key_password, "passphrase of the key"),
    )
    wish = Wish(
        image=image,
        masters=masters,
        nodes=nodes,
        name=name,
        user=user,
        password=account,
        port=port or 0,
        private_key=private_key,
        key_password=key,
        jump=jump,
    )
    found = clusterfile_of(wish, ctx.obj.emit)
    _refuse_image(ctx.obj, found, logins)
    facts = {} if no_look else _looked(ctx.obj, found, logins)
    _write(ctx.obj, file, _text(found, facts))


def _refuse_to_overwrite(file: Path) -> None:
    from sealpy.errors import ConfigError

    if str(file) == "-":
        return
    if file.exists():
        raise ConfigError(f"'{file}' is there already", hint="write another one: --file NAME, or print it: --file -")
    if not file.absolute().parent.is_dir():
        raise ConfigError(f"'{file}': there is no such directory", hint=f"mkdir -p {file.parent}")


def _refuse_image(output: Output, clusterfile: Clusterfile, logins: Logins) -> None:
    """Refuse an image by which 'sealpy plan' could make nothing of the file: one that is not here, or no cluster's."""
    from sealpy.actions.setup import refuse_unsupported
    from sealpy.cli.opening import required

    with required(output, clusterfile, logins=logins) as (_, image):
        refuse_unsupported(clusterfile, image)


def _looked(output: Output, clusterfile: Clusterfile, logins: Logins) -> Mapping[str, Facts]:
    from sealpy.actions.look import look
    from sealpy.actions.session import Surroundings
    from sealpy.cli.home import home
    from sealpy.inventory import Inventory

    cluster = clusterfile.cluster
    inventory = Inventory.of(cluster, logins)
    for secret in inventory.secrets:
        output.secrets.add(secret)
    around = Surroundings(home=home(), emit=output.emit, secret=output.secrets.add, logins=logins)
    return look(inventory, around, directory=f"{cluster.data_root}/{cluster.name}")


def _text(clusterfile: Clusterfile, facts: Mapping[str, Facts]) -> str:
    from sealpy.actions.look import about, free_range
    from sealpy.clusterfile import draft

    family = 6 if any(":" in address for address in facts) else 4
    wanted = {"PodCIDR": "pods", "SvcCIDR": "services"} if facts else {}
    ranges = {variable: free_range(what, facts.values(), family=family) for variable, what in wanted.items()}
    free = {variable: found for variable, found in ranges.items() if found}
    return draft(clusterfile.cluster, {address: about(found) for address, found in facts.items()}, ranges=free)


def _write(output: Output, file: Path, text: str) -> None:
    from sealpy.disk import write_new
    from sealpy.errors import ConfigError

    if str(file) == "-":
        output.text(text.rstrip("\n"))
        return
    try:
        write_new(file, text)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise ConfigError(f"'{file}': {reason}", hint="write another one: --file NAME") from error
    where = "" if str(file) == "Clusterfile" else f" -f {file}"
    output.text(f"'{file}' is written; see what it would do: sealpy plan{where}")
