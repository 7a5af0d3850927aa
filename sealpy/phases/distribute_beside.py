"""Bring the files of another image to the hosts of a living cluster, and only at the end take away what it had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.distributors import keeping, registry_there
from sealpy.engine import Phase
from sealpy.phases.distribute import Distribute
from sealpy.sdk import Steps

__all__ = ["DistributeBeside", "RemoveSuperseded", "has_image"]

_BOTH = "both"  # the mark of a host of the registry that has the image and keeps what the one before had there


class DistributeBeside(Distribute):
    """Distribute the image beside the one before.

    Pods that have to move while nodes are drained are of the image before: the registry keeps their container images.
    """

    def steps(self, ctx: Context, host: str) -> Steps:
        """Send what is missing; returns whether the host keeps anything of the image before."""
        tree, facts = ctx.tree(host), ctx.facts[host]
        if has_image(ctx, host):
            return not facts.marked("rootfs", tree.digest)
        both = keeping(tree, (yield from registry_there(ctx.directory))) if host in ctx.registry.hosts else tree
        yield from ctx.distributor.deliver(both, facts)
        if both is not tree:
            yield ctx.mark(_BOTH, _both(tree.digest, both.digest), title="distribution beside the image before")
        return both is not tree

    def finish(self, ctx: Context, values: Mapping[str, object]) -> None:
        """Keep in mind who has something to take away at the end."""
        ctx.superseded = tuple(host for host, keeps in values.items() if keeps)


def has_image(ctx: Context, host: str) -> bool:
    """Tell whether an earlier run brought every file of the image, whatever is there besides."""
    marks, digest = ctx.facts[host].marks, ctx.tree(host).digest
    there = marks.get("rootfs", "")
    return there == digest or marks.get(_BOTH) == _both(digest, there)


def _both(digest: str, together: str) -> str:
    return f"{digest}+{together}"


class RemoveSuperseded(Phase[Context]):
    """Remove container images that no image of the cluster holds any more."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern hosts of the registry that kept some."""
        return ctx.superseded

    def skip(self, ctx: Context) -> str:
        """Say so when there is none."""
        return "" if ctx.superseded else "the registry holds what the image holds"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Bring the files to those of the image alone."""
        yield from ctx.distributor.deliver(ctx.tree(host), ctx.facts[host])
