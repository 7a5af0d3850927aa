"""Remove a whole cluster from its hosts, and look for what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sealpy.actions.hooks import Hooks
from sealpy.actions.references import missing_notices
from sealpy.actions.session import Report, Session, Surroundings, exclusive, session
from sealpy.actions.setup import prepare
from sealpy.actions.state import remains_there
from sealpy.clusterfile import Clusterfile
from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.events import Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference
from sealpy.image.remains import kept_remains, nothing_of
from sealpy.kube import kubeconfig
from sealpy.phases.audit import Audit
from sealpy.phases.connect import Connect
from sealpy.phases.gather_facts import GatherFacts
from sealpy.phases.keep_clusterfile import KEPT, REMAINS
from sealpy.phases.remove_registry import RemoveRegistry
from sealpy.phases.remove_rootfs import RemoveRootfs
from sealpy.phases.reset_hosts import ResetHosts
from sealpy.phases.uninstall_container_engine import UninstallContainerEngine
from sealpy.sdk import HookPoint

__all__ = ["delete"]

P = HookPoint


def delete(clusterfile: Clusterfile, image: ClusterImage | None, surroundings: Surroundings) -> Report:
    """Remove everything; a second call on hosts that are clean finds nothing to complain about.

    Without the image its plugins are taken from what was kept of it, here or on a control plane. Hosts that do not
    answer do not hold the others up: raises PartlyDoneError at the end, which names them.
    """
    name, home = clusterfile.cluster.name, surroundings.cluster_home(clusterfile.cluster.name)
    clusterfile = _bare(clusterfile)
    image = image or kept_remains(home / REMAINS)
    known = image or nothing_of(Reference.parse(clusterfile.cluster.image))
    preparation = prepare(clusterfile, known, surroundings)
    hooks = Hooks.of(clusterfile, known, preparation.inventory, directories=surroundings.plugins)
    notices = (*clusterfile.notices, *hooks.notices, *missing_notices(clusterfile))
    with exclusive(home), session("delete", surroundings, preparation, notices=notices) as run:
        silent = run.find_out([Connect(), GatherFacts()])
        run.left_out.update(silent)
        for host, error in silent.items():
            run.executor.emit(Warned(message=f"{error.message}: left as it is", hint=error.hint, host=host))
        if image is None:
            hooks = _plugins_of_the_hosts(run, clusterfile)
        if not run.ctx.inventory.masters and hooks.plugins:
            message = "no control plane answers: plugins, which may need one, do not fire"
            run.executor.emit(Warned(message=message, hint="clean up by hand what they would have"))
            hooks = Hooks(())
        run.ctx.operation = _ours(run.ctx)
        run.run(delete_all(hooks))
        if not surroundings.rehearsal:
            _forget(name, home, [] if silent else [KEPT, REMAINS])
        return run.finish(f"cluster '{name}' is removed")


def _bare(clusterfile: Clusterfile) -> Clusterfile:
    """Leave out what only matters to a cluster that is made, and may not fit what is left of its image."""
    cluster = replace(clusterfile.cluster, cmd=(), cmd_args={}, app_names=())
    return replace(clusterfile, cluster=cluster, configs=(), applications=())


def _plugins_of_the_hosts(run: Session, clusterfile: Clusterfile) -> Hooks:
    """Look for what a control plane keeps of the image."""
    ctx, directories = run.ctx, run.surroundings.plugins
    found = remains_there(run, ctx.inventory.masters)
    if found is None and any(ctx.is_ours(host) for host in ctx.inventory.addresses):
        message = (
            f"image '{clusterfile.cluster.image}' is not here, and nothing was kept of it: its plugins do not fire"
        )
        ctx.emit(Warned(message=message, hint="load the image first, if it has plugins that clean up"))
    return Hooks.of(clusterfile, found or ctx.image, ctx.inventory, directories=directories)


def _forget(name: str, home: Path, kept: Sequence[str]) -> None:
    """Take the way to a cluster that is gone away from here; what is kept stays as long as hosts are left."""
    kubeconfig.remove(name, home=home)
    for file in ("admin.conf", *kept):
        (home / file).unlink(missing_ok=True)


def _ours(ctx: Context) -> tuple[str, ...]:
    """Leave machines alone that nothing of this cluster was ever put on: they may be somebody else's."""
    for host in ctx.inventory.addresses:
        if not ctx.is_ours(host):
            ctx.emit(Warned(message="nothing of this cluster is here: left alone", host=host))
    return tuple(host for host in ctx.inventory.addresses if ctx.is_ours(host))


def delete_all(hooks: Hooks) -> Sequence[Phase[Context]]:
    """List the phases."""
    return [
        *hooks.at(P.PRE_UNINSTALL, P.PRE_CLEAN, P.PRE_CLEAN_HOST),
        ResetHosts(),
        RemoveRegistry(),
        UninstallContainerEngine(),
        *hooks.at(P.POST_CLEAN, P.POST_CLEAN_HOST, P.POST_UNINSTALL),
        RemoveRootfs(),
        Audit(),
    ]
