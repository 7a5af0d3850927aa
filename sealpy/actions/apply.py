"""Bring a cluster to what its Clusterfile says: create it, go on where a run was cut, add hosts, upgrade, or rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sealpy.actions.hooks import Hooks
from sealpy.actions.part import Parting, part
from sealpy.actions.review import prepared
from sealpy.actions.session import Report, Session, Surroundings, exclusive, session
from sealpy.actions.state import Saved, follow_the_leader, forget_strays, leaving, recall
from sealpy.actions.upgrade import Direction, check_move, find_move
from sealpy.clusterfile import Clusterfile, load
from sealpy.context import Context
from sealpy.engine import Journal, Phase
from sealpy.errors import ClusterfileError, ConfigError, ImageError
from sealpy.image.cluster_image import ClusterImage
from sealpy.kube import kubeconfig
from sealpy.phases.adapt_dns import AdaptDns
from sealpy.phases.check_ways import CheckWays
from sealpy.phases.connect import Connect
from sealpy.phases.distribute import Distribute
from sealpy.phases.gather_facts import GatherFacts
from sealpy.phases.init_control_plane import InitControlPlane
from sealpy.phases.install_container_engine import InstallContainerEngine
from sealpy.phases.install_network import InstallNetwork
from sealpy.phases.issue_ticket import IssueTicket
from sealpy.phases.join_control_planes import JoinControlPlanes
from sealpy.phases.join_workers import JoinWorkers
from sealpy.phases.keep_clusterfile import KEPT, KeepClusterfile
from sealpy.phases.label_nodes import LabelNodes
from sealpy.phases.launch_apps import LaunchApps
from sealpy.phases.preflight import Preflight
from sealpy.phases.prepare_kubernetes import PrepareKubernetes
from sealpy.phases.reconfigure import reconfigure
from sealpy.phases.save_state import SaveState
from sealpy.phases.settle import Settle, settling
from sealpy.phases.start_registry import PrepareAuthority, StartRegistry
from sealpy.phases.trust_registry import TrustRegistry
from sealpy.phases.wait_ready import WaitReady, WaitServing
from sealpy.phases.write_hosts import WriteHosts
from sealpy.sdk import HookPoint

__all__ = ["apply", "rollback"]

P = HookPoint


def apply(clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> Report:
    """Run every phase; what is so already is left alone. In a rehearsal the report holds what would be done."""
    return _bring(clusterfile, image, surroundings, direction="forward")


def rollback(clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> Report:
    """Bring a living cluster back to an image that it has left, as far as a way leads back; raises ConfigError."""
    return _bring(clusterfile, image, surroundings, direction="back")


def _bring(
    clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings, *, direction: Direction
) -> Report:
    name = clusterfile.cluster.name
    action = "apply" if direction == "forward" else "rollback"
    home = surroundings.cluster_home(name)
    _refuse_a_namesake(clusterfile, home)
    preparation, hooks = prepared(clusterfile, image, surroundings)
    notices = (*clusterfile.notices, *hooks.notices)
    with exclusive(home), session(action, surroundings, preparation, notices=notices) as run:
        run.ctx.kube.warm()
        run.run([Connect(), GatherFacts()])
        follow_the_leader(run, clusterfile, image)
        if not run.ctx.created:
            _refuse_what_is_not_made(run.ctx, direction)
        move = find_move(run, direction) if run.ctx.created else None
        before = recall(run)
        parting = _compare(run, clusterfile, before, image) if before else None
        if move:
            check_move(run, move, parting, clusterfile)
        run.run(begin(hooks, checks=move.checks() if move else (), document=parting.document if parting else ""))
        if parting:
            run.run(parting.begin(), ctx=parting.ctx)
        listed = move.phases(run, clusterfile, hooks) if move else phases(run.ctx, hooks, run.executor.journal)
        run.run(listed)
        if parting:
            run.run(parting.end(run), ctx=parting.ctx)
        run.run(end())
        return run.finish(f"cluster '{name}' is what its Clusterfile says")


def _compare(run: Session, clusterfile: Clusterfile, before: Saved, image: ClusterImage) -> Parting | None:
    """Compare the file with what was saved: refuse what cannot be, and find out who leaves."""
    gone = leaving(before.clusterfile, clusterfile)
    renewed = before.kubernetes != run.ctx.kubernetes  # or it was, and a run was cut before it could save that
    compare = run.ctx.runtime.compare_renewed if renewed else run.ctx.runtime.compare
    run.ctx.change = compare(before.settings)
    run.ctx.before = {ip: entry for entry in before.clusterfile.cluster.hosts for ip in entry.ips}
    forget_strays(run.ctx)
    return part(run, clusterfile, image, gone)


def phases(ctx: Context, hooks: Hooks, journal: Journal) -> Sequence[Phase[Context]]:
    """Choose the list by what the facts say of the cluster; plugins fire for the hosts of the operation alone.

    The journal knows of hosts for which every plugin has fired, though a run was cut before it could mark them all.
    """
    if not ctx.created:
        return create(hooks)
    new = tuple(host for host in ctx.inventory.addresses if not ctx.is_settled(host))
    if all(journal.done(settling(ctx, host)) for host in new):
        ctx.operation = tuple(host for host in ctx.inventory.addresses if not ctx.is_current(host))  # to be marked
        return upkeep()
    ctx.operation = new
    return add_hosts(hooks)


def begin(hooks: Hooks, *, checks: Sequence[Phase[Context]] = (), document: str = "") -> Sequence[Phase[Context]]:
    """List what comes before the first change of any apply; `document` is kept instead of the run's own."""
    return [Preflight(renames=hooks.rename), CheckWays(), *checks, KeepClusterfile(document)]


def end() -> Sequence[Phase[Context]]:
    """List what comes after the last change of any apply."""
    return [Settle(), SaveState()]


def _refuse_a_namesake(clusterfile: Clusterfile, home: Path) -> None:
    """Refuse to take the name, and with it the way to delete it, from another cluster that was made from here."""
    name = clusterfile.cluster.name
    kept = home / KEPT
    if kept.is_file():
        before = load(kept).cluster
        hosts = {ip for entry in before.hosts for ip in entry.ips}
        if before.data_root != clusterfile.cluster.data_root:
            raise ClusterfileError(
                f"dataRoot of cluster '{name}' is {before.data_root}: the files of a living cluster do not move",
                place=clusterfile.cluster.place,
                hint="put it back, or delete the cluster first",
            )
        if not hosts & {ip for entry in clusterfile.cluster.hosts for ip in entry.ips}:
            raise ClusterfileError(
                f"cluster '{name}' was made from here on other hosts: {', '.join(sorted(hosts))}",
                place=clusterfile.cluster.place,
                hint="give this one another name (run --name …), or delete that one first",
            )
    kubeconfig.refuse_foreign(name, home=home)


def _refuse_what_is_not_made(ctx: Context, direction: Direction) -> None:
    """Refuse to go back with no cluster, to go on by another Kubernetes, and to make one of a living one's workers."""
    if direction == "back":
        raise ConfigError(f"there is no cluster '{ctx.name}' that could go back", hint="sealpy apply makes one")
    if any(ctx.is_behind(host) for host in ctx.inventory.addresses):
        raise ImageError(
            f"{ctx.image.reference.familiar}: cluster '{ctx.name}' is half made by another Kubernetes",
            hint="finish it with the image that it was begun with, or remove it first: sealpy delete --all",
        )
    left = [host for host in ctx.inventory.workers if "settled" in ctx.facts[host].marks and not ctx.is_node(host)]
    if left:
        raise ClusterfileError(
            f"{', '.join(left)}: nodes of cluster '{ctx.name}', none of whose control planes is in the file",
            hint="name its control planes, too; or remove it first: sealpy delete --all",
        )


def create(hooks: Hooks) -> Sequence[Phase[Context]]:
    """List the phases of a new cluster."""
    return [
        *hooks.at(P.ORIGINALLY),
        Distribute(),
        *hooks.at(P.PRE_INSTALL_CLUSTER, P.PRE_INIT, P.PRE_INIT_HOST),
        WriteHosts(),
        InstallContainerEngine(),
        PrepareAuthority(),
        StartRegistry(),
        TrustRegistry(),
        *hooks.at(P.PRE_INSTALL),
        PrepareKubernetes(),
        InitControlPlane(),
        AdaptDns(),
        InstallNetwork(),
        IssueTicket(),
        JoinControlPlanes(),
        JoinWorkers(),
        WaitReady(),
        *hooks.at(P.POST_INIT_HOST, P.POST_INSTALL_CLUSTER),
        LabelNodes(),
        *hooks.at(P.PRE_GUEST),
        LaunchApps(),
        WaitServing(),
        *hooks.at(P.POST_INSTALL),
    ]


def add_hosts(hooks: Hooks) -> Sequence[Phase[Context]]:
    """List the phases that make new hosts nodes of a living cluster."""
    return [
        *hooks.at(P.ORIGINALLY),
        Distribute(),
        *hooks.at(P.PRE_SCALEUP, P.PRE_JOIN, P.PRE_INIT_HOST),
        WriteHosts(),
        InstallContainerEngine(),
        PrepareAuthority(),
        StartRegistry(),
        TrustRegistry(),
        *reconfigure(),
        AdaptDns(),
        PrepareKubernetes(),
        InstallNetwork(),
        IssueTicket(),
        JoinControlPlanes(),
        JoinWorkers(),
        WaitReady(),
        *hooks.at(P.POST_INIT_HOST, P.POST_SCALEUP),
        LabelNodes(),
        *hooks.at(P.PRE_GUEST),
        LaunchApps(),
        *hooks.at(P.POST_JOIN),
    ]


def upkeep() -> Sequence[Phase[Context]]:
    """List the phases that see to a cluster whose hosts are all nodes; no operation, so no plugin."""
    return [
        Distribute(),
        WriteHosts(),
        InstallContainerEngine(),
        PrepareAuthority(),
        StartRegistry(),
        TrustRegistry(),
        *reconfigure(),
        InstallNetwork(),
        WaitReady(),
        LabelNodes(),
        LaunchApps(),
    ]
