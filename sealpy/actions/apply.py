"""Bring a cluster to what its Clusterfile says: create it, go on where a run was cut, add hosts, or do nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.actions.hooks import Hooks
from sealpy.actions.session import Report, Surroundings, exclusive, session
from sealpy.actions.setup import prepare
from sealpy.clusterfile import Clusterfile
from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.image.cluster_image import ClusterImage
from sealpy.phases.adapt_dns import AdaptDns
from sealpy.phases.connect import Connect
from sealpy.phases.distribute import Distribute
from sealpy.phases.gather_facts import GatherFacts
from sealpy.phases.init_control_plane import InitControlPlane
from sealpy.phases.install_container_engine import InstallContainerEngine
from sealpy.phases.install_network import InstallNetwork
from sealpy.phases.issue_ticket import IssueTicket
from sealpy.phases.join_control_planes import JoinControlPlanes
from sealpy.phases.join_workers import JoinWorkers
from sealpy.phases.label_nodes import LabelNodes
from sealpy.phases.launch_apps import LaunchApps
from sealpy.phases.preflight import Preflight
from sealpy.phases.prepare_kubernetes import PrepareKubernetes
from sealpy.phases.save_state import SaveState
from sealpy.phases.start_registry import PrepareAuthority, StartRegistry
from sealpy.phases.trust_registry import TrustRegistry
from sealpy.phases.wait_ready import WaitReady, WaitServing
from sealpy.phases.write_hosts import WriteHosts
from sealpy.sdk import HookPoint

__all__ = ["apply"]

P = HookPoint


def apply(clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> Report:
    """Run every phase; what is so already is left alone. In a rehearsal the report holds what would be done."""
    preparation = prepare(clusterfile, image, surroundings)
    hooks = Hooks.of(clusterfile, image, preparation.inventory)
    with (
        exclusive(surroundings.cluster_home(clusterfile.cluster.name)),
        session(
            "apply",
            surroundings,
            connect=preparation.connect,
            make_context=preparation.make_context,
            notices=(*clusterfile.notices, *hooks.notices),
        ) as run,
    ):
        run.ctx.kube.warm()
        run.run([Connect(), GatherFacts()])
        run.run(phases(run.ctx, hooks))
        return run.report()


def phases(ctx: Context, hooks: Hooks) -> Sequence[Phase[Context]]:
    """Choose the list by what the facts say of the cluster; plugins fire for the hosts of the operation alone."""
    if not ctx.created:
        return create(hooks)
    ctx.operation = tuple(host for host in ctx.inventory.addresses if not ctx.is_node(host))
    return add_hosts(hooks) if ctx.operation else upkeep()


def create(hooks: Hooks) -> Sequence[Phase[Context]]:
    """List the phases of a new cluster."""
    return [
        Preflight(),
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
        SaveState(),
    ]


def add_hosts(hooks: Hooks) -> Sequence[Phase[Context]]:
    """List the phases that make new hosts nodes of a living cluster."""
    return [
        Preflight(),
        *hooks.at(P.ORIGINALLY),
        Distribute(),
        *hooks.at(P.PRE_SCALEUP, P.PRE_JOIN, P.PRE_INIT_HOST),
        WriteHosts(),
        InstallContainerEngine(),
        PrepareAuthority(),
        StartRegistry(),
        TrustRegistry(),
        AdaptDns(),
        PrepareKubernetes(),
        IssueTicket(),
        JoinControlPlanes(),
        JoinWorkers(),
        WaitReady(),
        *hooks.at(P.POST_INIT_HOST, P.POST_SCALEUP),
        LabelNodes(),
        *hooks.at(P.PRE_GUEST, P.POST_JOIN),
        SaveState(),
    ]


def upkeep() -> Sequence[Phase[Context]]:
    """List the phases that see to a cluster whose hosts are all nodes; no operation, so no plugin."""
    return [
        Preflight(),
        Distribute(),
        WriteHosts(),
        InstallContainerEngine(),
        PrepareAuthority(),
        StartRegistry(),
        TrustRegistry(),
        InstallNetwork(),
        WaitReady(),
        LabelNodes(),
        LaunchApps(),
        SaveState(),
    ]
