"""Save what the cluster is: in the cluster, and the way to it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealpy.context import Context, digest_of
from sealpy.disk import write_whole
from sealpy.engine import Phase
from sealpy.image.remains import remains_of
from sealpy.kube import kubeconfig
from sealpy.phases.keep_clusterfile import KEPT, REMAINS
from sealpy.sdk import Call, On, Put, Steps

__all__ = ["CONFIG_MAP", "SaveHosts", "SaveState"]

CONFIG_MAP = ("kube-system", "sealpy-clusterfile")


class SaveState(Phase[Context]):
    """Save the state of the cluster."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the Clusterfile to the cluster, the kubeconfig here, and last to each control plane that it is made."""
        living = ctx.is_node(host) or not ctx.rehearsal
        saved = (ctx.kube.open().config_map(*CONFIG_MAP) or {}) if living else {}
        wanted = self.state(ctx, saved)
        if saved != wanted:
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
        yield from self.notes(ctx)

    def state(self, ctx: Context, saved: Mapping[str, str]) -> Mapping[str, str]:
        """Give what is to be saved in the cluster, where this is `saved`."""
        del saved
        return {
            "Clusterfile": ctx.document,
            "image": str(ctx.image.reference),
            "digest": ctx.image.digest,
            "settings": ctx.runtime.settings(),
            "kubernetes": ctx.kubernetes,
        }

    def notes(self, ctx: Context) -> Steps:
        """Keep on each control plane what a delete needs of the image, and last that the cluster is made."""
        remains = remains_of(ctx.image).encode()
        for master in ctx.inventory.masters:
            if not ctx.facts[master].marked(REMAINS, digest_of(remains)):
                yield On(master, Put("keep what a delete needs", f"{ctx.directory}/{REMAINS}", remains, mode=0o600))
                yield On(master, ctx.mark(REMAINS, digest_of(remains)))
            if not ctx.facts[master].marked("created", ctx.image.digest):
                yield On(master, ctx.mark("created", ctx.image.digest))


class SaveHosts(SaveState):
    """Save which hosts the cluster has.

    The image that is here may be another one by now, or only what was kept of it: what the cluster is made of stays as
    it was saved.
    """

    def state(self, ctx: Context, saved: Mapping[str, str]) -> Mapping[str, str]:
        """Change the Clusterfile alone."""
        return {**saved, "Clusterfile": ctx.document}

    def notes(self, ctx: Context) -> Steps:
        """Note nothing: those that stay know it."""
        del ctx
        yield from ()


def _kept(ctx: Context) -> str:
    path = ctx.home / KEPT
    return path.read_text(encoding="utf-8") if path.is_file() else ""
