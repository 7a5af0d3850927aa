"""sealpy check: put machines to every check before anything is made of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.checks import SkipOption, skipped
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
from sealpy.cli.plugins import PluginsDirOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealpy.actions.check import Checked
    from sealpy.cli.output import Output
    from sealpy.clusterfile import Readable
    from sealpy.inventory import Logins

__all__ = ["command"]

_FAILED = 3  # the exit code of a PreflightError
_NO_IMAGE = "none"  # stands in a Clusterfile that flags are written as, where no image was named


def command(  # noqa: PLR0917 - typer needs every option as a parameter
    ctx: typer.Context,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="The image that is to run there.", show_default=False)
    ] = _NO_IMAGE,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The Clusterfile, instead of -m and -n.")] = None,
    masters: MastersOption = "",
    nodes: NodesOption = "",
    user: UserOption = "",
    password: PasswordOption = "",
    port: PortOption = None,
    private_key: PrivateKeyOption = None,
    key_password: KeyPasswordOption = "",
    jump: JumpOption = "",
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    plugins_dir: PluginsDirOption = None,
    skip: SkipOption = None,
    *,
    pre: Annotated[bool, typer.Option("--pre", help="Check what must be so before a cluster is made.")] = False,
    every: Annotated[
        bool, typer.Option("--list", help="Show every check and why it is made; connect nowhere.")
    ] = False,
) -> None:
    """Put machines to every check, and change nothing on them: all hosts at once. The exit code is 3 when one fails.

    Examples:
        sealpy check --pre -f Clusterfile
        sealpy check --pre kubernetes:v1.34.4 -m 10.0.0.1 -n 10.0.0.2-10.0.0.4 --skip swap,time-sync
        sealpy check --list
    """
    if every:
        _list(ctx.obj)
        return
    _refuse_half(file, masters, pre=pre)
    from sealpy.cli.cluster import Given, ask_secrets
    from sealpy.cli.wish import Wish, clusterfile_of
    from sealpy.clusterfile import Readable, examine

    logins, left_out = logins_of(host_keys, ssh_config), skipped(skip)
    of = Given("--passwd", password, f"password of {user or 'the machines'}")
    account, key = ask_secrets(ctx.obj, of, Given("--pk-passwd", key_password, "passphrase of the key"))
    if file:
        read = examine(file).changed(lambda found: found.with_password(account) if account else found)
    else:
        wish = Wish(image=image, masters=masters, nodes=nodes, user=user, password=account, port=port or 0,
                    private_key=private_key, key_password=key, jump=jump)  # fmt: skip
        read = Readable.of(clusterfile_of(wish, ctx.obj.emit))
    _show(ctx.obj, checked := _check(ctx.obj, read, logins, left_out, plugins=plugins_dir or ()))
    if checked.count("error"):
        raise typer.Exit(_FAILED)


def _refuse_half(file: Path | None, masters: str, *, pre: bool) -> None:
    from sealpy.errors import ConfigError

    if not pre:
        words = f"-f {file}" if file else f"-m {masters}" if masters else "-f Clusterfile"
        raise ConfigError("what to check is not said", hint=f"before a cluster is made: sealpy check --pre {words}")
    if bool(file) == bool(masters):
        raise ConfigError(
            "give the machines either by --file or by --masters", hint="sealpy check --pre -f Clusterfile"
        )


def _check(output: Output, read: Readable, logins: Logins, skip: frozenset[str], *, plugins: Sequence[Path]) -> Checked:
    from sealpy.actions.check import check
    from sealpy.actions.session import Surroundings
    from sealpy.cli.home import home
    from sealpy.cli.opening import required

    around = Surroundings(
        home=home(), emit=output.emit, secret=output.secrets.add, logins=logins, skip=skip, plugins=tuple(plugins)
    )
    if read.cluster and read.cluster.image == _NO_IMAGE:
        return check(read.clusterfile(), None, around)
    with required(output, read, logins=logins, plugins=plugins) as (clusterfile, image):
        return check(clusterfile, image, around)


def _show(output: Output, checked: Checked) -> None:
    from sealpy.checks import CHECKS
    from sealpy.errors import counted

    if output.is_json:
        counts = {"errors": checked.count("error"), "warnings": checked.count("warning")}
        found = [asdict(one) for one in checked.found]
        output.json({"hosts": checked.hosts, **counts, "seconds": round(checked.seconds, 3), "found": found})
        return
    if checked.found:
        rows = [(one.host, one.check, one.severity, one.message, one.fix) for one in checked.found]
        output.table("", ("host", "check", "severity", "found", "what to do"), rows)
    errors, warnings = counted(checked.count("error"), "error"), counted(checked.count("warning"), "warning")
    hosts = counted(len(checked.hosts), "host")
    output.text(f"{hosts}, {len(CHECKS)} checks in {checked.seconds:.1f} s: {errors}, {warnings}")


def _list(output: Output) -> None:
    from sealpy.actions.check import EXPLAINED
    from sealpy.checks import CHECKS

    rows = [*((one.id, one.severity, one.reason) for one in CHECKS), *((id_, "error", why) for id_, why in EXPLAINED)]
    output.table("", ("check", "severity", "why"), rows)
