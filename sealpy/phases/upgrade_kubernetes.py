"""Bring the nodes of a living cluster to the Kubernetes of the image: control planes first, then node after node."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from sealpy.context import KUBERNETES, Context
from sealpy.engine import Phase
from sealpy.errors import HostError, InterruptedRunError, KubeError, PhaseError, SealpyError
from sealpy.kube import Node, Pod
from sealpy.phases.drain_nodes import DrainNodes
from sealpy.phases.install_container_engine import InstallContainerEngine
from sealpy.sdk import Call, Result, Steps, Wait

__all__ = ["CORDONED", "UNFINISHED", "UpgradeControlPlanes", "UpgradeMasters", "UpgradeWorkers", "VacateNodes"]

UNFINISHED = "unfinished"  # in a mark, in the place of a Kubernetes: the host is on its way from one to another
CORDONED = "cordoned"  # the mark of a node that no pod goes to because of us, not because somebody wants it so
_SAME = "Kubernetes is that of the image already"
_TIMEOUT = 300.0


class _Rolling(Phase[Context]):
    """Work on few hosts at a time, and begin no other one when more have failed than may."""

    at_once = 1

    def __init__(self, *, tolerated: int = 0) -> None:
        """Take how many hosts may fail; so many, but at least one, are worked on at once."""
        self.at_once = max(1, tolerated)
        self._tolerated = tolerated
        self._failed: list[str] = []
        self._lock = threading.Lock()

    def skip(self, ctx: Context) -> str:
        """Say so when none has another Kubernetes."""
        return "" if self.hosts(ctx) else _SAME

    def steps(self, ctx: Context, host: str) -> Steps:
        """Upgrade one host, unless those before it say that it would go wrong there, too."""
        with self._lock:
            failed = tuple(self._failed)
        if len(failed) > self._tolerated:
            raise HostError(host, f"left as it is, since {', '.join(failed)} failed")
        try:
            yield from self.upgrade(ctx, host)
        except InterruptedRunError:
            raise
        except SealpyError:
            with self._lock:
                self._failed.append(host)
            raise

    def upgrade(self, ctx: Context, host: str) -> Steps:
        """Upgrade one host."""
        raise NotImplementedError

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Say how to go on."""
        hint = "mend this and run the same command again: what is done is not done again"
        return PhaseError(self.title, errors, hint=hint)


class UpgradeControlPlanes(_Rolling):
    """Upgrade the control planes.

    All of them before the first node is drained: with the last one kubeadm brings CoreDNS and kube-proxy to the new
    version, so pods that have to move find their container images in the registry.
    """

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern those whose parts are of another Kubernetes; the leader is the first."""
        leader, masters = ctx.inventory.leader, ctx.inventory.masters
        ordered = (leader, *(host for host in masters if host != leader))
        return tuple(host for host in ordered if ctx.is_behind(host) and not _has_parts(ctx, host))

    def upgrade(self, ctx: Context, host: str) -> Steps:
        """Upgrade its parts, when etcd can do without it for a moment."""
        runtime = ctx.runtime
        yield from runtime.health(ctx.inventory.leader)
        yield from _begun(ctx, host, "node", KUBERNETES)
        yield from runtime.upgrade_leader(host) if host == ctx.inventory.leader else runtime.upgrade_control_plane(host)
        yield ctx.mark(KUBERNETES, ctx.kubernetes)

    def finish(self, ctx: Context, values: Mapping[str, object]) -> None:
        """Take the administrator's new certificate from now on."""
        del values
        ctx.kube.renew()


class VacateNodes(DrainNodes):
    """Vacate the nodes for a while.

    Pods that nobody would make anew stay: they run on while the kubelet changes.
    """

    despite = "it is upgraded beneath them"

    def pods(self, ctx: Context, node: Node) -> tuple[Pod, ...]:
        """Give the pods that come up elsewhere."""
        return tuple(pod for pod in super().pods(ctx, node) if not pod.alone)


class _UpgradeNodes(_Rolling):
    """Upgrade nodes, each drained while its container engine and its kubelet change."""

    def __init__(self, *, drain: VacateNodes, tolerated: int = 0) -> None:
        """Take how pods are made to go."""
        super().__init__(tolerated=tolerated)
        self._drain = drain

    def upgrade(self, ctx: Context, host: str) -> Steps:
        """Upgrade the node where it is to be, and let pods come back; whoever cordoned it before wants it so."""
        yield Wait("the API server answers", probe=lambda: _unanswered(ctx), timeout=_TIMEOUT)
        node = _node(ctx, host)
        ours = CORDONED in ctx.facts[host].marks
        if _is_to_change(ctx, host):
            is_master = host in ctx.inventory.masters
            if not is_master:
                yield from _begun(ctx, host, "node")  # that of a control plane is so since its parts changed
            if not node.unschedulable and not ours:
                yield ctx.mark(CORDONED, "by sealpy", title="no pod is to come here for a while")
                ours = True
            if not (is_master or _has_parts(ctx, host)):
                yield from ctx.runtime.upgrade_worker(host)
                yield ctx.mark(KUBERNETES, ctx.kubernetes)
            yield from self._drained(ctx, node, ours=ours)
            yield from InstallContainerEngine().steps(ctx, host)
            yield from ctx.runtime.renew_kubelet(host)
            yield Wait(f"node is ready, at {ctx.runtime.version}", probe=lambda: _unready(ctx, host), timeout=_TIMEOUT)
            if is_master:
                yield from ctx.runtime.serves(host)
                yield from ctx.runtime.health(host)
            yield ctx.mark("node", ctx.kubernetes)
        if ours:
            yield from _welcome(ctx, node)

    def _drained(self, ctx: Context, node: Node, *, ours: bool) -> Steps:
        """Drain the node; one whose pods do not go gets back what it is: it is as it was."""
        try:
            yield from self._drain.steps(ctx, node.address)
        except InterruptedRunError:
            raise
        except SealpyError:
            if ours:
                yield from _welcome(ctx, node)
            raise

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Say how to go on."""
        hint = (
            "mend this and run the same command again: what is done is not done again; where pods do not go, "
            "--drain-timeout gives them more time, and --force upgrades beneath them"
        )
        return PhaseError(self.title, errors, hint=hint)


class UpgradeMasters(_UpgradeNodes):
    """Upgrade the nodes of the control planes."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the control planes, one by one."""
        return tuple(host for host in ctx.inventory.masters if _is_concerned(ctx, host))


class UpgradeWorkers(_UpgradeNodes):
    """Upgrade the workers."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the workers."""
        return tuple(host for host in ctx.inventory.workers if _is_concerned(ctx, host))


def _begun(ctx: Context, host: str, *names: str) -> Steps:
    """Note that a host is of no Kubernetes any more, and not yet of another: whoever comes next goes on with it."""
    for name in names:
        if not ctx.facts[host].marked(name, UNFINISHED):
            yield ctx.mark(name, UNFINISHED, title=f"{name} is to change")


def _has_parts(ctx: Context, host: str) -> bool:
    return ctx.facts[host].marked(KUBERNETES, ctx.kubernetes)


def _is_to_change(ctx: Context, host: str) -> bool:
    """Tell whether a node is to change; whatever it was, a control plane is that whose parts have just changed."""
    return not ctx.facts[host].marked("node", ctx.kubernetes) or ctx.is_behind(host)


def _is_concerned(ctx: Context, host: str) -> bool:
    """Tell whether a node is to be upgraded, or was cut before pods could come back."""
    return ctx.is_node(host) and (_is_to_change(ctx, host) or CORDONED in ctx.facts[host].marks)


def _node(ctx: Context, host: str) -> Node:
    found = next((node for node in ctx.kube.open().nodes() if node.address == host), None)
    if found is None:
        raise HostError(host, "no node of the cluster has this address", hint="kubectl get nodes -o wide")
    return found


def _unanswered(ctx: Context) -> str:
    try:
        ctx.kube.open().nodes()
    except KubeError as error:
        return error.message
    return ""


def _unready(ctx: Context, host: str) -> str:
    """Say why the node is not ready with its new kubelet."""
    try:
        node = _node(ctx, host)
    except (KubeError, HostError) as error:
        return error.message
    if node.version.removeprefix("v") != ctx.runtime.version.removeprefix("v"):
        return f"{node.name}: its kubelet is {node.version}"
    return f"{node.name}: {node.reason}" if node.reason else ""


def _welcome(ctx: Context, node: Node) -> Steps:
    """Let pods come to a node again that we had closed."""
    yield Wait("the API server answers", probe=lambda: _unanswered(ctx), timeout=_TIMEOUT)
    done: Result = yield Call(f"uncordon {node.name}", lambda: ctx.kube.open().uncordon(node.name))
    del done
    yield ctx.erase(CORDONED, title="pods may come again")
