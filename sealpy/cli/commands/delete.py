"""sealpy delete: remove a whole cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption

__all__ = ["command"]


def command(
    ctx: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Remove the whole cluster.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The Clusterfile; default: the one that the last run kept.")
    ] = None,
    name: Annotated[str, typer.Option("--cluster", "-c", help="Name of the cluster.")] = "my-cluster",
    password: Annotated[
        str, typer.Option("--passwd", help="Password of the machines; `-` asks for it, or reads standard input.")
    ] = "",
    prune: Annotated[
        bool, typer.Option("--prune", "-p", help="Accepted as in sealer; files are always removed.")
    ] = False,
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    plugins_dir: PluginsDirOption = None,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove a whole cluster from its machines, and look for what is left.

    Examples:
        sealpy delete -a
        sealpy delete -a -f Clusterfile --force
    """
    from sealpy.cli import cluster  # noqa: PLC0415 - heavy
    from sealpy.errors import ConfigError  # noqa: PLC0415

    del prune
    if not everything:
        raise ConfigError("what to delete is not said", hint="sealpy delete --all removes the whole cluster")
    logins = logins_of(host_keys, ssh_config)
    (secret,) = cluster.ask_secrets(ctx.obj, cluster.Given("--passwd", password, "password of the machines"))
    wanted = cluster.kept_clusterfile(file, name=name, password=secret)
    if not (force or dry_run) and not cluster.confirmed(wanted):
        raise typer.Abort
    cluster.delete_and_report(ctx.obj, wanted, rehearsal=dry_run, logins=logins, plugins=plugins_dir or ())
