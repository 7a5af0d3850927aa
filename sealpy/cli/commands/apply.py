"""sealpy apply: make a cluster what its Clusterfile says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.changes import EnvOption, SetOption, changes_of
from sealpy.cli.checks import SkipOption, skipped
from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption
from sealpy.cli.signatures import Verify, Verifying, VerifyKeys
from sealpy.cli.terms import DrainOption, DryRunOption, ForceOption, MaxFailOption, Terms

__all__ = ["command"]


def command(
    ctx: typer.Context,
    file: Annotated[Path, typer.Option("--file", "-f", help="The Clusterfile.")] = Path("Clusterfile"),
    *,
    env: EnvOption = None,
    sets: SetOption = None,
    host_keys: HostKeysOption = "",
    ssh_config: SshConfigOption = "",
    verify: Verify = "if-possible",
    verify_keys: VerifyKeys = None,
    max_fail: MaxFailOption = 0,
    drain: DrainOption = 300.0,
    force: ForceOption = False,
    plugins_dir: PluginsDirOption = None,
    skip: SkipOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make a cluster what its Clusterfile says: create it, go on where a run was cut, or find nothing to do.

    Hosts that you add to the file join; those that you take out of it are drained, taken out of the cluster and
    cleaned. One of them that does not answer is only forgotten, and what is left on it is told. Another image comes
    to every host, and with it its Kubernetes, node after node.

    A file whose image is an application launches it on the cluster of that name, which need not be described in it.

    Examples:
        sealpy apply -f Clusterfile
        sealpy apply -f Clusterfile --dry-run
        sealpy apply -f Clusterfile -e PodCIDR=10.0.0.0/16 --set image=kubernetes:v1.34.5
    """
    from sealpy.cli.cluster import apply_and_report
    from sealpy.clusterfile import examine

    apply_and_report(
        ctx.obj,
        examine(file, changes=changes_of(sets, env)),
        rehearsal=dry_run,
        logins=logins_of(host_keys, ssh_config),
        verifying=Verifying(verify, tuple(verify_keys or ())),
        terms=Terms(max_fail=max_fail, drain=drain, force=force, skip=skipped(skip)),
        plugins=plugins_dir or (),
    )
