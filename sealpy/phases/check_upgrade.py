"""Refuse to change the Kubernetes of a cluster that is not well: every problem at once, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import PreflightError, Problem, SealpyError
from sealpy.events import Warned
from sealpy.phases.distribute_beside import has_image
from sealpy.phases.upgrade_kubernetes import CORDONED, UNFINISHED
from sealpy.sdk import Steps

__all__ = ["CheckUpgrade"]

_SPARE_KIB = 1024 * 1024  # beside the new files: new container images unpacked, a copy of etcd's data
_HINT = "nothing was changed; mend these and run it again"


class CheckUpgrade(Phase[Context]):
    """Check that the cluster can be upgraded."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader, which knows."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Look at the nodes and at the room on their disks, then at etcd.

        Where the leader was cut in the middle its kubelet, through which etcd is asked, may not run: to go on mends it,
        and each control plane asks before and behind its own upgrade.
        """
        problems: dict[str, list[Problem]] = {}
        for where, problem in (*_nodes(ctx), *_room(ctx)):
            problems.setdefault(where, []).append(problem)
        if problems:
            raise PreflightError(problems, hint=_HINT)
        if not ctx.runtime.keeps_etcd:
            message = "etcd runs elsewhere: its health is not looked at, and no snapshot of it is taken"
            ctx.emit(Warned(message=message, hint="take one where it runs, before you go on"))
        if not _is_cut(ctx, host):
            yield from ctx.runtime.health(host)

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Tell what was found as it is: it concerns the cluster, not the host that was asked."""
        return next(iter(errors.values()))


def _nodes(ctx: Context) -> Iterator[tuple[str, Problem]]:
    """Look for nodes that are not ready; one that an upgrade was cut on may be so, and is mended by going on."""
    known = {host for host in ctx.inventory.addresses if ctx.is_node(host)}
    for node in ctx.kube.open().nodes():
        if node.address in known:
            if node.reason and not _is_cut(ctx, node.address):
                hint = "mend it, or take it out of the file and apply that with the image as it was"
                yield node.address, Problem(f"node {node.name} is not ready: {node.reason}", hint=hint)
            for short in node.short_of:
                hint = "it takes no pods, and an upgrade starts some: make room there first"
                yield node.address, Problem(f"node {node.name}: {short}", hint=hint)
        elif node.address not in ctx.before:  # those that were left out, or leave, are told of already
            message = f"node {node.name} ({node.address}) is not in the Clusterfile: it stays as it is"
            ctx.emit(Warned(message=message, hint=f"its kubelet is {node.version}; upgrade it by hand"))


def _is_cut(ctx: Context, host: str) -> bool:
    marks = ctx.facts[host].marks
    return UNFINISHED in marks.values() or CORDONED in marks


def _room(ctx: Context) -> Iterator[tuple[str, Problem]]:
    """Look for disks without room for the new files beside the old ones."""
    need = ctx.image.size // 1024 + _SPARE_KIB
    for host in ctx.inventory.addresses:
        if not has_image(ctx, host):
            yield from ((host, problem) for problem in ctx.facts[host].without_room(need))
