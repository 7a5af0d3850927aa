"""Save what the cluster is: in the cluster, and the way to it here."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.kube import kubeconfig
from sealpy.sdk import Call, Steps

__all__ = ["CONFIG_MAP", "KUBERNETES", "SaveState", "kubernetes_digest"]

KUBERNETES = "kubernetes"  # the mark by which another Kubernetes is told from another application

CONFIG_MAP = ("kube-system", "sealpy-clusterfile")


class SaveState(Phase[Context]):
    """Save the state of the cluster."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the Clusterfile to the cluster, the kubeconfig here, and last the mark that all is done."""
        living = ctx.is_node(host) or not ctx.rehearsal
        wanted = {"Clusterfile": ctx.document, "image": str(ctx.image.reference), "digest": ctx.image.digest}
        if not living or ctx.kube.open().config_map(*CONFIG_MAP) != wanted:
            yield Call(
                "save the Clusterfile in the cluster", lambda: ctx.kube.open().write_config_map(*CONFIG_MAP, wanted)
            )
        if not living or not kubeconfig.is_merged(ctx.kube.kubeconfig(), ctx.name, server=host, home=ctx.home):
            yield Call(
                f"write context '{ctx.name}' to the kubeconfig",
                lambda: kubeconfig.merge(ctx.kube.kubeconfig(), ctx.name, server=host, home=ctx.home),
            )
        if not ctx.facts[host].marked(KUBERNETES, kubernetes_digest(ctx)):
            yield ctx.mark(KUBERNETES, kubernetes_digest(ctx))
        if not ctx.facts[host].marked("created", ctx.image.digest):
            yield ctx.mark("created", ctx.image.digest)


def kubernetes_digest(ctx: Context) -> str:
    """Give the digest of the kubelet in the image; equal for images that differ in their applications alone."""
    kubelet = ctx.image.files.get("bin/kubelet")
    return kubelet.sha256 if kubelet else ctx.image.digest
