"""Start the kubelets that an upgrade left stopped when it was cut."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.phases.upgrade_kubernetes import UNFINISHED, UpgradeControlPlanes
from sealpy.phases.wait_ready import WaitReady
from sealpy.sdk import Steps

__all__ = ["StartKubelets"]


class StartKubelets(Phase[Context]):
    """Start the kubelets that a run left stopped.

    A node that changes starts its own. But who goes back from the middle begins with control planes again, whose parts
    and etcd are out of reach where no kubelet runs; one of either patch runs with the parts of both.
    """

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern nodes on their way from one Kubernetes to another, when a control plane has still to change."""
        if not UpgradeControlPlanes().hosts(ctx):
            return ()
        return tuple(host for host in ctx.inventory.addresses if ctx.is_node(host) and _is_stopped(ctx, host))

    def skip(self, ctx: Context) -> str:
        """Say so when none is stopped."""
        return "" if self.hosts(ctx) else "no kubelet is needed that does not run"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Start it, and wait for the node."""
        yield from ctx.runtime.start_kubelet()
        yield from WaitReady().steps(ctx, host)


def _is_stopped(ctx: Context, host: str) -> bool:
    facts = ctx.facts[host]
    return UNFINISHED in facts.marks.values() and "kubelet" not in facts.active
