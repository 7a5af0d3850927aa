"""Let every host find the registry and the API server by name, through /etc/hosts."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.sdk import Run, Steps

__all__ = ["SIGN", "WriteHosts", "forget_hosts", "hosts_file"]

SIGN = "# sealpy"

# $1 the sign, $2 the lines. Written beside and renamed where that is possible; a bind mount can only be written into.
_WRITE = r"""set -eu
tmp=/etc/.hosts.sealpy
{ grep -v "$1\$" /etc/hosts || true; [ -z "$2" ] || printf '%s\n' "$2"; } > "$tmp"
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
        """Write the names once; a control plane that has joined is its own API server."""
        server = host if ctx.is_node(host) and host in ctx.inventory.masters else ctx.inventory.leader
        yield from hosts_file(ctx, host, server)


def hosts_file(ctx: Context, host: str, server: str) -> Steps:
    """Write our lines of /etc/hosts; every one ends with a sign, so that they can be taken away again."""
    lines = (
        f"{ctx.registry.address_for(host)} {ctx.registry.domain} {SIGN}",
        f"{server} apiserver.cluster.local {SIGN}",
        *(f"{address} {names} {SIGN}" for address, names in ctx.aliases),
    )
    digest = digest_of(lines)
    if ctx.facts[host].marked("hosts", digest):
        return
    yield Run("write /etc/hosts", "sh", "-c", _WRITE, "sh", SIGN, "\n".join(lines))
    yield ctx.mark("hosts", digest)


def forget_hosts() -> Run:
    """Give the step that takes our lines away."""
    return Run("clean /etc/hosts", "sh", "-c", _WRITE, "sh", SIGN, "")
