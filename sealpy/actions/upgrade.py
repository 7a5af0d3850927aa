"""Bring a living cluster to another image: forward because its file names one, back because somebody asks for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sealpy.actions.hooks import Hooks
from sealpy.actions.part import Parting
from sealpy.actions.session import Session
from sealpy.actions.state import remains_there
from sealpy.clusterfile import Clusterfile, Plugin
from sealpy.context import KUBERNETES, Context
from sealpy.engine import Phase
from sealpy.errors import ConfigError, InterruptedRunError
from sealpy.phases.adapt_dns import AdaptDns
from sealpy.phases.check_upgrade import CheckUpgrade
from sealpy.phases.distribute_beside import DistributeBeside, RemoveSuperseded
from sealpy.phases.install_container_engine import RenewContainerEngine
from sealpy.phases.install_network import InstallNetwork
from sealpy.phases.label_nodes import LabelNodes
from sealpy.phases.launch_apps import LaunchApps
from sealpy.phases.reconfigure import reconfigure
from sealpy.phases.settle import settling
from sealpy.phases.start_kubelets import StartKubelets
from sealpy.phases.start_registry import PrepareAuthority, StartRegistry
from sealpy.phases.trust_registry import TrustRegistry
from sealpy.phases.upgrade_kubernetes import UpgradeControlPlanes, UpgradeMasters, UpgradeWorkers, VacateNodes
from sealpy.phases.wait_ready import WaitReady, WaitServing
from sealpy.phases.write_hosts import WriteHosts
from sealpy.plugin import Hook, check, discover
from sealpy.sdk import HookPoint

__all__ = ["Direction", "Move", "Snapshot", "check_move", "find_move", "go_back", "upgrade"]

P = HookPoint
Direction = Literal["forward", "back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Say who comes to another image, which way, and whether that has another Kubernetes."""

    hosts: tuple[str, ...]
    direction: Direction
    kubernetes: bool

    def checks(self) -> Sequence[Phase[Context]]:
        """List what is looked at before anything is changed."""
        return [CheckUpgrade()] if self.kubernetes else []

    def phases(self, run: Session, clusterfile: Clusterfile, hooks: Hooks) -> Sequence[Phase[Context]]:
        """List the phases."""
        drain = VacateNodes(timeout=run.surroundings.drain, force=run.surroundings.force)
        tolerated = run.surroundings.max_fail
        first = [_snapshot(run.ctx)] if self.kubernetes and _is_to_be_saved(run.ctx) else []
        if self.direction == "forward":
            return [*first, *upgrade(hooks, drain, tolerated)]
        return [StartKubelets(), *first, *go_back(_hooks_there(run, clusterfile), drain, tolerated)]


def find_move(run: Session, direction: Direction) -> Move | None:
    """Find out whether the cluster is to come to another image; changes nothing. None when it has this one.

    A run that was cut behind its last plugin has only its end before it: that is no move any more.
    """
    ctx, journal = run.ctx, run.executor.journal
    settled = [host for host in ctx.inventory.addresses if ctx.is_settled(host)]
    behind = [host for host in ctx.inventory.addresses if ctx.is_behind(host)]
    hosts = tuple(host for host in settled if host in behind or not ctx.is_current(host))
    if not hosts and not behind:
        return None
    ctx.operation = hosts
    if not behind and all(journal.done(settling(ctx, host)) for host in hosts):
        return None
    return Move(hosts=hosts, direction=direction, kubernetes=bool(behind))


def check_move(run: Session, move: Move, parting: Parting | None, clusterfile: Clusterfile) -> None:
    """Refuse what cannot be, or cannot be at once; raises ConfigError."""
    ctx, place = run.ctx, clusterfile.cluster.place
    new = [host for host in ctx.inventory.addresses if not ctx.is_settled(host)]
    if new:
        raise ConfigError(
            f"{', '.join(new)} cannot join cluster '{ctx.name}' while it comes to another image",
            place=place,
            hint="apply the image with the hosts that the cluster has, then add the others",
        )
    if move.kubernetes and parting and parting.living:
        raise ConfigError(
            f"{', '.join(parting.living)} cannot leave cluster '{ctx.name}' while its Kubernetes changes",
            place=place,
            hint="take them out with the image as it was, or apply the image with them and take them out then",
        )
    if move.kubernetes:
        _check_kubernetes(run, move)


def _check_kubernetes(run: Session, move: Move) -> None:
    """Refuse a version that cannot follow, and one that nobody has asked for."""
    ctx, around = run.ctx, run.surroundings
    kube = ctx.kube.open()
    there, wanted = kube.version(), ctx.runtime.version
    if move.direction == "back":
        ctx.runtime.check_downgrade(there)
    else:
        hosts = set(ctx.inventory.addresses)
        kubelets = {node.name: node.version for node in kube.nodes() if node.address in hosts}
        ctx.runtime.check_upgrade(there, kubelets=kubelets)
    if around.drastic == "refused":
        command = f"sealpy upgrade {ctx.image.reference.familiar} --cluster {ctx.name}"
        raise ConfigError(
            f"cluster '{ctx.name}' has Kubernetes {there}, and {ctx.image.reference.familiar} has {wanted}",
            hint=f"{command} brings it there, node after node",
        )
    question = f"bring cluster '{ctx.name}' from Kubernetes {there} to {wanted}, node after node?"
    agreed = around.rehearsal or around.force or there == wanted  # an upgrade that was cut is gone on with
    if not (agreed or around.confirm(question)):
        raise InterruptedRunError("nothing was changed", hint="sealpy plan shows what would be done")


def upgrade(hooks: Hooks, drain: VacateNodes, tolerated: int) -> Sequence[Phase[Context]]:
    """List the phases by which a cluster comes to another image that its file names."""
    return [
        DistributeBeside(),
        *hooks.at(P.UPGRADE_HOST),
        *_serve(),
        *hooks.at(P.UPGRADE),
        *_renew(drain, tolerated),
    ]


def go_back(hooks: Hooks, drain: VacateNodes, tolerated: int) -> Sequence[Phase[Context]]:
    """List the phases by which a cluster comes back to an image that it has left; `hooks` are of the one it leaves."""
    return [*hooks.at(P.ROLLBACK), DistributeBeside(), *_serve(), *_renew(drain, tolerated)]


def _serve() -> Sequence[Phase[Context]]:
    return [WriteHosts(), PrepareAuthority(), StartRegistry(), TrustRegistry()]


def _renew(drain: VacateNodes, tolerated: int) -> Sequence[Phase[Context]]:
    return [
        UpgradeControlPlanes(),
        UpgradeMasters(drain=drain),
        UpgradeWorkers(drain=drain, tolerated=tolerated),
        RenewContainerEngine(),
        *reconfigure(),
        AdaptDns(),
        InstallNetwork(),
        WaitReady(),
        LabelNodes(),
        LaunchApps(),
        WaitServing(),
        RemoveSuperseded(),
    ]


class Snapshot(Hook):
    """Take a snapshot of etcd, and keep it on this machine."""

    name = "snapshot"
    title = "Take a snapshot of etcd"


def _snapshot(ctx: Context) -> Snapshot:
    """Use the plugin that everybody can use; its name differs each time, so that a second run takes one, too."""
    document = Plugin(name=f"etcd-{time.strftime('%Y%m%d-%H%M%S')}", type="ETCD", actions=(P.UPGRADE,))
    return Snapshot(P.UPGRADE, check([document], discover(()), ctx.inventory))


def _is_to_be_saved(ctx: Context) -> bool:
    """Tell whether etcd is ours, and a control plane has still to change."""
    behind = [host for host in ctx.inventory.masters if ctx.is_behind(host)]
    changes = any(not ctx.facts[host].marked(KUBERNETES, ctx.kubernetes) for host in behind)
    return changes and ctx.runtime.keeps_etcd


def _hooks_there(run: Session, clusterfile: Clusterfile) -> Hooks:
    """Give the plugins of the image that the cluster leaves, which its leader keeps, with those of the Clusterfile."""
    ctx, directories = run.ctx, run.surroundings.plugins
    image = remains_there(run, [ctx.inventory.leader]) or ctx.image
    return Hooks.of(clusterfile, image, ctx.inventory, directories=directories)
