"""Let every host find the registry and the API server by name, through /etc/hosts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.inventory.facts import HOSTS_SIGN
from sealpy.sdk import Run, Steps

__all__ = ["WriteHosts", "forget_hosts", "hosts_file"]

# $1 the sign, $2 the lines. Written beside and renamed where that is possible; a bind mount can only be written into,
# and so can what pods on the host's own network have of it since they began: kube-proxy finds the API server by that.
_WRITE = r"""set -eu
tmp=/etc/.hosts.sealpy
sign=$1 lines=$2
renew() { grep -v "$sign\$" "$1" > "$tmp" || true; [ -z "$lines" ] || printf '%s\n' "$lines" >> "$tmp"; }
for copy in /var/lib/kubelet/pods/*/etc-hosts; do
  if grep -qs "$sign\$" "$copy"; then renew "$copy"; cat "$tmp" > "$copy"; fi
done
renew /etc/hosts
cmp -s "$tmp" /etc/hosts && { rm -f "$tmp"; exit 0; }
chmod 644 "$tmp"
mv -f "$tmp" /etc/hosts 2>/dev/null || { cat "$tmp" > /etc/hosts; rm -f "$tmp"; }
"""


class WriteHosts(Phase[Context]):
    """Write names to /etc/hosts.

    The registry, the API server and the host aliases of the Clusterfile.
    """

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host."""
        return ctx.inventory.addresses

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the names where they do not stand as they should; whoever edited our lines gets them back."""
        server = host if ctx.is_node(host) and host in ctx.inventory.masters else ctx.inventory.leader
        text = "".join(f"{line}\n" for line in _lines(ctx, host, server))
        if ctx.facts[host].own_hosts != hashlib.sha256(text.encode()).hexdigest():
            yield hosts_file(ctx, host, server)


def hosts_file(ctx: Context, host: str, server: str) -> Run:
    """Give the step that writes our lines of /etc/hosts; `server` is the host's API server."""
    return Run("write /etc/hosts", "sh", "-c", _WRITE, "sh", HOSTS_SIGN, "\n".join(_lines(ctx, host, server)))


def forget_hosts() -> Run:
    """Give the step that takes our lines away."""
    return Run("clean /etc/hosts", "sh", "-c", _WRITE, "sh", HOSTS_SIGN, "")


def _lines(ctx: Context, host: str, server: str) -> tuple[str, ...]:
    """Give our lines; every one ends with a sign, so that they can be found and taken away again."""
    registry = [f"{ctx.registry.address_for(host)} {ctx.registry.domain} {HOSTS_SIGN}"] if ctx.registry.hosts else []
    return (
        *registry,
        f"{server} apiserver.cluster.local {HOSTS_SIGN}",
        *(f"{address} {names} {HOSTS_SIGN}" for address, names in ctx.aliases),
    )
