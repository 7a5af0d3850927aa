"""Save what the cluster is: in the cluster, and the way to it here."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context, digest_of
from sealpy.disk import write_whole
from sealpy.engine import Executor, Phase
from sealpy.image.remains import remains_of
from sealpy.kube import kubeconfig
from sealpy.phases.keep_clusterfile import KEPT, REMAINS
from sealpy.sdk import Call, On, Put, Steps

__all__ = ["CONFIG_MAP", "KUBERNETES", "SaveState", "Settle", "kubernetes_digest", "settling"]

KUBERNETES = "kubernetes"  # the mark by which another Kubernetes is told from another application

CONFIG_MAP = ("kube-system", "sealpy-clusterfile")


def settling(ctx: Context, host: str) -> str:
    """Give what the journal knows it by that no plugin is left to fire for a new host."""
    return f"settling {host} {ctx.facts[host].machine_id}"


class Settle(Phase[Context]):
    """Note that the new hosts are settled.

    After the last plugin: a run that was cut before it goes on with the same hosts, and fires what is left. One that is
    cut between two of these marks must fire nothing again, so the journal knows that it has begun with them.
    """

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Note in the journal that no plugin is left to fire for these hosts, then mark them."""
        for host in ctx.operation if not executor.rehearsal else ():
            executor.journal.mark(settling(ctx, host))
        super().perform(ctx, executor)

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the mark where it is not."""
        if "settled" not in ctx.facts[host].marks:
            yield ctx.mark("settled", "done")


class SaveState(Phase[Context]):
    """Save the state of the cluster."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the Clusterfile to the cluster, the kubeconfig here, and last to each control plane that it is made."""
        living = ctx.is_node(host) or not ctx.rehearsal
        wanted = {
            "Clusterfile": ctx.document,
            "image": str(ctx.image.reference),
            "digest": ctx.image.digest,
            "settings": ctx.runtime.settings(),
        }
        if not living or ctx.kube.open().config_map(*CONFIG_MAP) != wanted:
            yield Call(
                "save the Clusterfile in the cluster", lambda: ctx.kube.open().write_config_map(*CONFIG_MAP, wanted)
            )
        if not ctx.rehearsal and _kept(ctx) != ctx.document:  # it may name hosts that have left
            write_whole(ctx.home / KEPT, ctx.document)
        if not living or not kubeconfig.is_merged(ctx.kube.kubeconfig(), ctx.name, server=host, home=ctx.home):
            yield Call(
                f"write context '{ctx.name}' to the kubeconfig",
                lambda: kubeconfig.merge(ctx.kube.kubeconfig(), ctx.name, server=host, home=ctx.home),
            )
        remains = remains_of(ctx.image).encode()
        for master in ctx.inventory.masters:
            if not ctx.facts[master].marked(REMAINS, digest_of(remains)):
                yield On(master, Put("keep what a delete needs", f"{ctx.directory}/{REMAINS}", remains, mode=0o600))
                yield On(master, ctx.mark(REMAINS, digest_of(remains)))
            for name, digest in ((KUBERNETES, kubernetes_digest(ctx)), ("created", ctx.image.digest)):
                if not ctx.facts[master].marked(name, digest):
                    yield On(master, ctx.mark(name, digest))


def _kept(ctx: Context) -> str:
    path = ctx.home / KEPT
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def kubernetes_digest(ctx: Context) -> str:
    """Give the digest of the kubelet in the image; equal for images that differ in their applications alone."""
    kubelet = ctx.image.files.get("bin/kubelet")
    return kubelet.sha256 if kubelet else ctx.image.digest
