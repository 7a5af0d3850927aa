"""sealpy run: make a cluster from an image on machines, or launch an application."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.changes import EnvOption, SetOption
from sealpy.cli.checks import SkipOption, skipped
from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption
from sealpy.cli.signatures import Verify, Verifying, VerifyKeys
from sealpy.cli.terms import DryRunOption, Terms

__all__ = ["command"]

Image = Annotated[str, typer.Argument(metavar="[IMAGE]", help="The image; with --file instead of the file's.")]
Masters = Annotated[
    str,
    typer.Option("--masters", "-m", help="Control planes: 10.0.0.1,10.0.0.4-10.0.0.5; with --provider how many."),
]
Nodes = Annotated[str, typer.Option("--nodes", "-n", help="Workers, likewise.")]
Name = Annotated[
    str,
    typer.Option(
        "--name",
        "--cluster",
        "-c",
        help="Name of the cluster, default my-cluster or that of the file; for an application the only one there is.",
    ),
]
File = Annotated[
    Path | None, typer.Option("--file", "-f", help="Begin with this Clusterfile: the other words change it.")
]
User = Annotated[str, typer.Option("--user", "-u", help="Account on the machines, default root; others use sudo.")]
Password = Annotated[
    str,
    typer.Option("--passwd", "-p", help="Its password; '-' asks for it, or reads standard input: nobody else sees it."),
]
Port = Annotated[int | None, typer.Option("--port", help="Port of sshd, default 22.", min=1, max=65535)]
PrivateKey = Annotated[
    Path | None, typer.Option("--pk", help="Private key; default: those of the agent, then ~/.ssh/id_*.")
]
KeyPassword = Annotated[str, typer.Option("--pk-passwd", help="Its passphrase; '-' as with --passwd.")]
Commands = Annotated[
    list[str] | None,
    typer.Option("--cmds", help="Command to launch instead of what the image launches; may repeat."),
]
Apps = Annotated[list[str] | None, typer.Option("--apps", help="App of the image to launch instead; may repeat.")]
Jump = Annotated[str, typer.Option("--jump", metavar="HOST,…", help="Go there through these: ops@bastion:2222,second.")]
Provider = Annotated[str, typer.Option("--provider", help="'local': boot the machines here; -m and -n say how many.")]


def command(  # noqa: PLR0917 - typer needs every option as a parameter
    ctx: typer.Context,
    image: Image = "",
    masters: Masters = "",
    nodes: Nodes = "",
    name: Name = "",
    file: File = None,
    user: User = "",
    password: Password = "",
    port: Port = None,
    private_key: PrivateKey = None,
    key_password: KeyPassword = "",
    env: EnvOption = None,
    sets: SetOption = None,
    commands: Commands = None,
    apps: Apps = None,
    provider: Provider = "",
    jump: Jump = "",
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    verify: Verify = "if-possible",
    verify_keys: VerifyKeys = None,
    plugins_dir: PluginsDirOption = None,
    skip: SkipOption = None,
    *,
    dry_run: DryRunOption = False,
) -> None:
    """Make a cluster from an image on machines, or launch an application.

    An application, an image without Kubernetes, goes to the cluster that was made from here: name no machines for it.

    Examples:
        sealpy run kubernetes:v1.34.4 -m 10.0.0.1 -n 10.0.0.2-10.0.0.4 --pk ~/.ssh/id_ed25519
        sealpy run kubernetes:v1.34.4 -m 10.0.0.1 -u admin -p -
        sealpy run kubernetes:v1.34.4 --provider local -m 1 -n 1
        sealpy run -f Clusterfile -n 10.0.0.5 --set ssh.port=2222
        sealpy run shop:1 --cluster my-cluster -e COLOR=blue
    """
    from sealpy.cli.application import wanted_by
    from sealpy.cli.cluster import Given, apply_and_report, ask_secrets
    from sealpy.cli.wish import Wish

    of = Given("--passwd", password, f"password of {user or 'the machines'}")
    account, key = ask_secrets(ctx.obj, of, Given("--pk-passwd", key_password, "passphrase of the key"))
    wish = Wish(
        image=image, masters=masters, nodes=nodes, name=name, provider=provider,
        user=user, password=account, port=port or 0, private_key=private_key, key_password=key, jump=jump,
        env=tuple(env or ()), sets=tuple(sets or ()), commands=tuple(commands or ()), apps=tuple(apps or ()),
    )  # fmt: skip
    wanted, cluster = wanted_by(wish, ctx.obj.emit, file=file, rehearsal=dry_run)
    apply_and_report(
        ctx.obj,
        wanted,
        rehearsal=dry_run,
        logins=logins_of(host_keys, ssh_config),
        verifying=Verifying(verify, tuple(verify_keys or ())),
        terms=Terms(skip=skipped(skip), drastic="asked" if file else "refused"),
        plugins=plugins_dir or (),
        cluster=cluster,
    )
