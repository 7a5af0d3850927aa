"""sealpy scale-up: add hosts to a cluster by naming them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.changes import EnvOption
from sealpy.cli.checks import SkipOption, skipped
from sealpy.cli.kept import ClusterOption, KeptPasswordOption
from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption
from sealpy.cli.signatures import Verify, Verifying, VerifyKeys
from sealpy.cli.terms import DryRunOption, MaxFailOption, Terms

__all__ = ["command"]


Masters = Annotated[str, typer.Option("--masters", "-m", help="New control planes: 10.0.0.2,10.0.0.4.")]
Nodes = Annotated[str, typer.Option("--nodes", "-n", help="New workers: 10.0.0.7-10.0.0.9.")]
User = Annotated[str, typer.Option("--user", "-u", help="Account on the new machines; default: as the others.")]
Port = Annotated[
    int,
    typer.Option("--port", help="Port of their sshd; default: as the others.", min=0, max=65535, show_default=False),
]
PrivateKey = Annotated[Path | None, typer.Option("--pk", help="Private key for them; default: as the others.")]
KeyPassword = Annotated[str, typer.Option("--pk-passwd", help="Its passphrase; '-' as with --passwd.")]


def command(
    ctx: typer.Context,
    *,
    masters: Masters = "",
    nodes: Nodes = "",
    name: ClusterOption = "my-cluster",
    user: User = "",
    password: KeptPasswordOption = "",
    port: Port = 0,
    private_key: PrivateKey = None,
    key_password: KeyPassword = "",
    env: EnvOption = None,
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    verify: Verify = "if-possible",
    verify_keys: VerifyKeys = None,
    max_fail: MaxFailOption = 0,
    plugins_dir: PluginsDirOption = None,
    skip: SkipOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Add hosts to a cluster that was made from here; hosts that it has already are passed over.

    The cluster remembers them. A Clusterfile of your own does not: write them into it before you apply it again. Of
    secrets it remembers names alone: export those of `env`; with a Config whose text is one, apply your own file.

    Examples:
        sealpy scale-up -n 10.0.0.7-10.0.0.9
        sealpy scale-up -m 10.0.0.2,10.0.0.3 --cluster shop
    """
    from sealpy.cli import cluster
    from sealpy.cli.hosts import login_of, widened

    account, key = cluster.ask_secrets(
        ctx.obj,
        cluster.Given("--passwd", password, "password of the machines"),
        cluster.Given("--pk-passwd", key_password, "passphrase of the key"),
    )
    otherwise = "apply its file from here first, sealpy apply --file Clusterfile"
    found = cluster.kept_clusterfile(None, name=name, password=account, otherwise=otherwise)
    login = login_of(found, user=user, port=port, private_key=private_key, key_password=key)
    cluster.apply_and_report(
        ctx.obj,
        widened(found, masters=masters, nodes=nodes, ssh=login, env=env or ()),
        rehearsal=dry_run,
        logins=logins_of(host_keys, ssh_config),
        verifying=Verifying(verify, tuple(verify_keys or ())),
        terms=Terms(max_fail=max_fail, skip=skipped(skip), drastic="refused"),
        plugins=plugins_dir or (),
    )
