"""Let hosts leave a living cluster: those that answer are drained and cleaned, those that are dead only forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sealpy.actions.hooks import Hooks
from sealpy.actions.references import missing_notices
from sealpy.actions.session import Session
from sealpy.actions.setup import prepare
from sealpy.actions.state import led_by, with_hosts
from sealpy.clusterfile import Clusterfile, HostEntry, dumps
from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import ConfigError, InterruptedRunError, counted
from sealpy.events import Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.phases.audit import Audit
from sealpy.phases.connect import Connect
from sealpy.phases.drain_nodes import DrainNodes
from sealpy.phases.gather_facts import GatherFacts
from sealpy.phases.remove_nodes import ForgetControlPlanes, RemoveNodes
from sealpy.phases.remove_registry import RemoveRegistry
from sealpy.phases.remove_rootfs import RemoveRootfs
from sealpy.phases.reset_hosts import ResetHosts
from sealpy.phases.uninstall_container_engine import UninstallContainerEngine
from sealpy.sdk import HookPoint

__all__ = ["Parting", "forget", "part", "remove_hosts"]

P = HookPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Hold the hosts that leave, in a context of their own; `dead` ones do not answer.

    `masters` are the control planes among all of them; `document` is the Clusterfile that names them still.
    """

    ctx: Context
    hooks: Hooks
    living: tuple[str, ...]
    dead: tuple[str, ...]
    masters: frozenset[str]
    document: str

    def begin(self) -> Sequence[Phase[Context]]:
        """List what comes first, since a dead member of etcd stands in the way of new ones."""
        return forget(self.dead, self.masters)

    def end(self, run: Session) -> Sequence[Phase[Context]]:
        """List what comes last, when those that are to take over their work are there."""
        if not self.living:
            return []
        drain = DrainNodes(timeout=run.surroundings.drain, force=run.surroundings.force)
        return remove_hosts(self.hooks, drain, self.living, self.masters)


def part(run: Session, clusterfile: Clusterfile, image: ClusterImage, gone: Sequence[HostEntry]) -> Parting | None:
    """Find out who of the leaving hosts answers; changes nothing. None when nobody leaves.

    `clusterfile` is what the cluster is to be. Raises InterruptedRunError when the operator does not want it, and
    ConfigError when nobody may leave.
    """
    hosts = tuple(ip for entry in gone for ip in entry.ips)
    if not hosts:
        return None
    _confirm(run, clusterfile, hosts)
    both = with_hosts(clusterfile, (*clusterfile.cluster.hosts, *gone))
    for notice in missing_notices(both):  # of those that leave only what was saved is known, which holds no secrets
        run.executor.emit(Warned(message=str(notice), hint=notice.hint))
    preparation = prepare(led_by(both, run.ctx.inventory.leader), image, run.surroundings)
    hooks = Hooks.of(clusterfile, image, preparation.inventory, directories=run.surroundings.plugins)
    ctx = run.prepared(preparation)
    ctx.operation = hosts
    masters = frozenset(hosts) & frozenset(ctx.inventory.masters)
    silent = run.find_out([Connect(only=hosts), GatherFacts(only=hosts)], ctx=ctx)
    for host, error in silent.items():
        run.executor.emit(
            Warned(
                message=f"{error.message}: the cluster forgets this host, on which everything stays as it is",
                hint=f"install {host} anew before it is used again",
                host=host,
            )
        )
    living = tuple(host for host in hosts if host not in silent)
    ctx.operation = tuple(host for host in living if ctx.is_ours(host))
    return Parting(ctx=ctx, hooks=hooks, living=living, dead=tuple(silent), masters=masters, document=dumps(both))


def _confirm(run: Session, clusterfile: Clusterfile, hosts: Sequence[str]) -> None:
    around = run.surroundings
    if around.drastic == "refused":
        raise ConfigError(
            f"cluster '{clusterfile.cluster.name}' has {', '.join(hosts)}, too",
            hint="name them as well; sealpy delete --nodes takes workers out, --masters control planes",
        )
    question = f"remove {', '.join(hosts)} from cluster '{clusterfile.cluster.name}'?"
    if not (around.rehearsal or around.force or around.confirm(question)):
        raise InterruptedRunError("nothing was changed", hint=f"put {counted(len(hosts), 'host')} back into the file")


def forget(dead: Sequence[str], masters: frozenset[str]) -> Sequence[Phase[Context]]:
    """List the phases that let a cluster forget hosts which do not answer."""
    return [ForgetControlPlanes([host for host in dead if host in masters]), RemoveNodes(dead)] if dead else []


def remove_hosts(
    hooks: Hooks, drain: DrainNodes, living: Sequence[str], masters: frozenset[str]
) -> Sequence[Phase[Context]]:
    """List the phases that take hosts out of a living cluster."""
    return [
        *hooks.at(P.PRE_CLEAN, P.PRE_CLEAN_HOST),
        drain,
        ForgetControlPlanes([host for host in living if host in masters]),
        ResetHosts(),
        RemoveNodes(living),
        RemoveRegistry(),
        UninstallContainerEngine(),
        *hooks.at(P.POST_CLEAN, P.POST_CLEAN_HOST),
        RemoveRootfs(),
        Audit(),
    ]
