"""sealpy upgrade: bring a cluster to another image."""

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
        typer.Argument(metavar="IMAGE", help="The image that the cluster is to come to, such as kubernetes:v1.35.4."),
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
    """Bring a cluster that was made from here to another image, and to its Kubernetes.

    The same as `apply` with another image in the file: write it into a Clusterfile of your own afterwards.

    Kubernetes comes to a newer patch or to the next minor version: first a snapshot of etcd is kept here, then control
    planes are upgraded one by one, then each node while it is drained, workers --max-fail at once. A run that was cut
    goes on when it is repeated.

    Examples:
        sealpy upgrade kubernetes:v1.34.5 --dry-run
        sealpy upgrade kubernetes:v1.35.4 --cluster shop
    """
    from sealpy.cli import cluster

    (secret,) = cluster.ask_secrets(ctx.obj, cluster.Given("--passwd", password, "password of the machines"))
    cluster.apply_and_report(
        ctx.obj,
        cluster.kept_clusterfile(file, name=name, password=secret).with_image(image),
        rehearsal=dry_run,
        logins=logins_of(host_keys, ssh_config),
        verifying=Verifying(verify, tuple(verify_keys or ())),
        terms=Terms(max_fail=max_fail, drain=drain, force=force, skip=skipped(skip)),
        plugins=plugins_dir or (),
    )
