"""Put kubelet and kubeadm in place on hosts that are no nodes yet."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Run, Steps

__all__ = ["PrepareKubernetes"]


class PrepareKubernetes(Phase[Context]):
    """Install Kubernetes programs."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts that are no nodes yet."""
        return tuple(
            host.address
            for host in ctx.inventory
            if (host.is_master or host.is_worker) and not ctx.is_node(host.address)
        )

    def steps(self, ctx: Context, host: str) -> Steps:
        """Remove what an earlier run left half made, then prepare."""
        if ctx.facts[host].files:
            yield Run("reset what was left half made", "kubeadm", "reset", "-f", timeout=300)
        yield from ctx.runtime.prepare(host)
