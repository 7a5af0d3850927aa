"""Save what the cluster is: in the cluster, and the way to it here."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import KUBERNETES, Context, digest_of
from sealpy.disk import write_whole
from sealpy.engine import Phase
from sealpy.image.remains import remains_of
from sealpy.kube import kubeconfig
from sealpy.phases.keep_clusterfile import KEPT, REMAINS
from sealpy.sdk import Call, On, Put, Steps

__all__ = ["CONFIG_MAP", "SaveState"]

CONFIG_MAP = ("kube-system", "sealpy-clusterfile")


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
            "kubernetes": ctx.kubernetes,
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
            for name, digest in ((KUBERNETES, ctx.kubernetes), ("created", ctx.image.digest)):
                if not ctx.facts[master].marked(name, digest):
                    yield On(master, ctx.mark(name, digest))


def _kept(ctx: Context) -> str:
    path = ctx.home / KEPT
    return path.read_text(encoding="utf-8") if path.is_file() else ""
