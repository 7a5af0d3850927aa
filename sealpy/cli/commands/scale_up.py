"""sealpy scale-up: add hosts to a cluster by naming them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.changes import EnvOption
from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption
from sealpy.cli.terms import MaxFailOption, Terms
from sealpy.cli.trust import Trust, Verify, VerifyKeys

__all__ = ["command"]


def command(
    ctx: typer.Context,
    *,
    masters: Annotated[str, typer.Option("--masters", "-m", help="New control planes: 10.0.0.2,10.0.0.4.")] = "",
    nodes: Annotated[str, typer.Option("--nodes", "-n", help="New workers: 10.0.0.7-10.0.0.9.")] = "",
    name: Annotated[str, typer.Option("--cluster", "-c", help="Name of the cluster.")] = "my-cluster",
    user: Annotated[
        str, typer.Option("--user", "-u", help="Account on the new machines; default: as the others.")
    ] = "",
    password: Annotated[
        str, typer.Option("--passwd", "-p", help="Password of the machines; '-' asks for it, or reads standard input.")
    ] = "",
    port: Annotated[int, typer.Option("--port", help="Port of their sshd.", min=0, max=65535)] = 0,
    private_key: Annotated[Path | None, typer.Option("--pk", help="Private key for them.")] = None,
    key_password: Annotated[str, typer.Option("--pk-passwd", help="Its passphrase; '-' as with --passwd.")] = "",
    env: EnvOption = None,
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    verify: Verify = "if-possible",
    verify_keys: VerifyKeys = None,
    max_fail: MaxFailOption = 0,
    plugins_dir: PluginsDirOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")] = False,
) -> None:
    """Add hosts to a cluster that was made from here; hosts that it has already are passed over.

    The cluster remembers them. A Clusterfile of your own does not: write them into it before you apply it again.

    Examples:
        sealpy scale-up -n 10.0.0.7-10.0.0.9
        sealpy scale-up -m 10.0.0.2,10.0.0.3 --cluster shop
    """
    from dataclasses import replace  # noqa: PLC0415

    from sealpy.cli import cluster  # noqa: PLC0415 - heavy
    from sealpy.clusterfile import parse_hosts  # noqa: PLC0415

    account, key = cluster.ask_secrets(
        ctx.obj,
        cluster.Given("--passwd", password, "password of the machines"),
        cluster.Given("--pk-passwd", key_password, "passphrase of the key"),
    )
    parse_hosts(",".join(filter(None, (masters, nodes))))  # no host may stand in both
    found = cluster.kept_clusterfile(None, name=name, password=account)
    ssh = found.cluster.ssh
    ssh = replace(
        ssh,
        user=user or ssh.user,
        port=port or ssh.port,
        private_key=str(private_key.expanduser().absolute()) if private_key else ssh.private_key,
        private_key_password=key or ssh.private_key_password,
    )
    wanted = cluster.widened(found, masters=parse_hosts(masters), nodes=parse_hosts(nodes), ssh=ssh)
    if env:
        pairs = dict(pair.partition("=")[::2] for pair in env)
        wanted = replace(wanted, cluster=replace(wanted.cluster, env={**wanted.cluster.env, **pairs}))
    cluster.apply_and_report(
        ctx.obj,
        wanted,
        rehearsal=dry_run,
        logins=logins_of(host_keys, ssh_config),
        trust=Trust(verify, tuple(verify_keys or ())),
        terms=Terms(max_fail=max_fail),
        plugins=plugins_dir or (),
    )
