"""sealpy run: make a cluster from an image on the machines you name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]


def command(  # noqa: PLR0917 - typer needs every option as a parameter
    ctx: typer.Context,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The cluster image, such as kubernetes:v1.34.4.")],
    masters: Annotated[
        str,
        typer.Option("--masters", "-m", help="Addresses of control planes: a list, ranges; a count with --provider."),
    ],
    nodes: Annotated[str, typer.Option("--nodes", "-n", help="Addresses of workers, likewise.")] = "",
    name: Annotated[str, typer.Option("--name", help="Name of the cluster.")] = "my-cluster",
    user: Annotated[
        str, typer.Option("--user", "-u", help="Account on the machines; others than root use sudo.")
    ] = "root",
    password: Annotated[
        str,
        typer.Option(
            "--passwd", "-p", help="Its password; `-` asks for it or reads standard input, which shows it to nobody."
        ),
    ] = "",
    port: Annotated[int, typer.Option("--port", help="Port of sshd.")] = 22,
    private_key: Annotated[
        Path | None, typer.Option("--pk", help="Private key; default: agent, then ~/.ssh/id_*.")
    ] = None,
    key_password: Annotated[str, typer.Option("--pk-passwd", help="Its passphrase; `-` asks for it.")] = "",
    env: Annotated[
        list[str] | None, typer.Option("--env", "-e", help="K=V for the cluster's environment; may repeat.")
    ] = None,
    commands: Annotated[list[str] | None, typer.Option("--cmds", help="Launch this instead; may repeat.")] = None,
    apps: Annotated[list[str] | None, typer.Option("--apps", help="Launch these apps instead; may repeat.")] = None,
    provider: Annotated[
        str, typer.Option("--provider", help="`local`: boot the machines here; -m and -n are counts.")
    ] = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")] = False,
) -> None:
    """Make a cluster from an image on the machines you name.

    Examples:
        sealpy run kubernetes:v1.34.4 -m 10.0.0.1 -n 10.0.0.2-10.0.0.4 --pk ~/.ssh/id_ed25519
        sealpy run kubernetes:v1.34.4 -m 10.0.0.1 -u admin -p -
        sealpy run kubernetes:v1.34.4 --provider local -m 1 -n 1
    """
    from sealpy.cli import cluster  # noqa: PLC0415 - heavy

    wish = cluster.Wish(
        image=image,
        masters=masters,
        nodes=nodes,
        name=name,
        user=user,
        password=cluster.ask_secret(password, f"password of {user}"),
        port=port,
        private_key=private_key,
        key_password=cluster.ask_secret(key_password, "passphrase of the key"),
        env=tuple(env or ()),
        commands=tuple(commands or ()),
        apps=tuple(apps or ()),
        provider=provider,
    )
    cluster.apply_and_report(ctx.obj, cluster.clusterfile_of(wish, ctx.obj), rehearsal=dry_run)
