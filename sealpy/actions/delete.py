"""Remove a whole cluster from its hosts, and look for what is left."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.actions.hooks import Hooks
from sealpy.actions.session import Report, Surroundings, exclusive, session
from sealpy.actions.setup import prepare
from sealpy.clusterfile import Clusterfile
from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.events import Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.kube import kubeconfig
from sealpy.phases.audit import Audit
from sealpy.phases.connect import Connect
from sealpy.phases.gather_facts import GatherFacts
from sealpy.phases.remove_registry import RemoveRegistry
from sealpy.phases.remove_rootfs import RemoveRootfs
from sealpy.phases.reset_hosts import ResetHosts
from sealpy.phases.uninstall_container_engine import UninstallContainerEngine
from sealpy.sdk import HookPoint

__all__ = ["delete"]

P = HookPoint


def delete(clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> Report:
    """Remove everything; a second call on hosts that are clean finds nothing to complain about."""
    preparation = prepare(clusterfile, image, surroundings)
    hooks = Hooks.of(clusterfile, image, preparation.inventory)
    name = clusterfile.cluster.name
    with (
        exclusive(surroundings.cluster_home(name)),
        session("delete", surroundings, preparation, notices=(*clusterfile.notices, *hooks.notices)) as run,
    ):
        run.run([Connect(), GatherFacts()])
        run.ctx.operation = _ours(run.ctx)
        run.run(delete_all(hooks))
        if not surroundings.rehearsal:
            kubeconfig.remove(name, home=surroundings.cluster_home(name))
            (surroundings.cluster_home(name) / "admin.conf").unlink(missing_ok=True)
            (surroundings.cluster_home(name) / "Clusterfile").unlink(missing_ok=True)
        return run.report()


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
