"""sealpy rollback: bring a cluster back to an image that it has left."""

from __future__ import annotations

from typing import Annotated

import typer

from sealpy.cli.checks import SkipOption, skipped
from sealpy.cli.kept import ClusterOption, KeptFileOption, KeptPasswordOption
from sealpy.cli.logins import HostKeysOption, SshConfigOption, logins_of
from sealpy.cli.plugins import PluginsDirOption
from sealpy.cli.signatures import Verify, Verifying, VerifyKeys
from sealpy.cli.terms import DrainOption, DryRunOption, ForceOption, MaxFailOption, Terms

__all__ = ["command"]


def command(
    ctx: typer.Context,
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="The image that the cluster is to go back to, such as kubernetes:v1.34.4."
        ),
    ],
    *,
    file: KeptFileOption = None,
    name: ClusterOption = "my-cluster",
    password: KeptPasswordOption = "",
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
    """Bring a cluster back to an image that it has left, also from the middle of an upgrade.

    Files, registry and applications are those of the image again, and Kubernetes goes back by patches, as it came. No
    way but a snapshot of etcd leads back over a minor version: what a newer API server has stored, an older one may not
    read. What applications did to their own data is not undone. With another Kubernetes it was seen on simulated
    machines only so far.

    Examples:
        sealpy rollback kubernetes:v1.34.4 --dry-run
        sealpy rollback kubernetes:v1.34.4 --cluster shop
    """
    from sealpy.cli import cluster

    (secret,) = cluster.ask_secrets(ctx.obj, cluster.Given("--passwd", password, "password of the machines"))
    cluster.rollback_and_report(
        ctx.obj,
        cluster.kept_clusterfile(file, name=name, password=secret).with_image(image),
        rehearsal=dry_run,
        logins=logins_of(host_keys, ssh_config),
        verifying=Verifying(verify, tuple(verify_keys or ())),
        terms=Terms(max_fail=max_fail, drain=drain, force=force, skip=skipped(skip)),
        plugins=plugins_dir or (),
    )
