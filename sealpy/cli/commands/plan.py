"""sealpy plan: show what apply would change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealpy.cli.changes import EnvOption, SetOption, changes_of
from sealpy.cli.checks import SkipOption, skipped
from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption
from sealpy.cli.signatures import Verify, Verifying, VerifyKeys
from sealpy.cli.terms import Terms

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
    plugins_dir: PluginsDirOption = None,
    skip: SkipOption = None,
) -> None:
    """Show what apply would change, and change nothing: hosts are asked, every changing step is only listed.

    Examples:
        sealpy plan -f Clusterfile
        sealpy plan -f Clusterfile --output json
    """
    from sealpy.cli.cluster import apply_and_report
    from sealpy.clusterfile import examine

    apply_and_report(
        ctx.obj,
        examine(file, changes=changes_of(sets, env)),
        rehearsal=True,
        logins=logins_of(host_keys, ssh_config),
        verifying=Verifying(verify, tuple(verify_keys or ())),
        plugins=plugins_dir or (),
        terms=Terms(skip=skipped(skip)),
    )
