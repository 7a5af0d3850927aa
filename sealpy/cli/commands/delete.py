"""sealpy delete: remove a whole cluster, or some of its hosts."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.kept import ClusterOption, KeptFileOption
from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption
from sealpy.cli.terms import DrainOption, ForceOption, Terms

__all__ = ["command"]


def command(
    ctx: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Remove the whole cluster.")] = False,
    masters: Annotated[
        str, typer.Option("--masters", "-m", help="Control planes to take out: 10.0.0.2,10.0.0.4-10.0.0.5.")
    ] = "",
    nodes: Annotated[str, typer.Option("--nodes", "-n", help="Workers to take out, likewise.")] = "",
    file: KeptFileOption = None,
    name: ClusterOption = "my-cluster",
    password: Annotated[
        str, typer.Option("--passwd", help="Password of the machines; `-` asks for it, or reads standard input.")
    ] = "",
    prune: Annotated[
        bool, typer.Option("--prune", "-p", help="Accepted as in sealer; files are always removed.")
    ] = False,
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    plugins_dir: PluginsDirOption = None,
    drain: DrainOption = 300.0,
    force: ForceOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove a whole cluster from its machines, or some of its hosts, and look for what is left.

    Hosts that are taken out are drained first. One that does not answer is only forgotten by the cluster. The image of
    the cluster need not be here any more.

    Examples:
        sealpy delete -a
        sealpy delete -a -f Clusterfile --force
        sealpy delete -n 10.0.0.7,10.0.0.8 --cluster shop
    """
    from sealpy.actions.remove import refuse_strangers
    from sealpy.cli import cluster
    from sealpy.cli.hosts import check_roles
    from sealpy.errors import ConfigError

    del prune
    if bool(masters or nodes) == everything:
        message = "--all is the whole cluster, so no hosts besides" if everything else "what to delete is not said"
        raise ConfigError(
            message, hint="sealpy delete --all removes a whole cluster, --nodes IP takes a host out of it"
        )
    logins = logins_of(host_keys, ssh_config)
    (secret,) = cluster.ask_secrets(ctx.obj, cluster.Given("--passwd", password, "password of the machines"))
    found = cluster.kept_clusterfile(file, name=name, password=secret)
    hosts = check_roles(found, masters=masters, nodes=nodes)
    refuse_strangers(found, hosts)
    if not (force or dry_run):
        cluster.confirm(found, hosts)
    plugins = plugins_dir or ()
    if everything:
        cluster.delete_and_report(ctx.obj, found, rehearsal=dry_run, logins=logins, plugins=plugins)
    else:
        terms = Terms(drain=drain, force=force)
        cluster.remove_and_report(ctx.obj, found, hosts, rehearsal=dry_run, logins=logins, plugins=plugins, terms=terms)
