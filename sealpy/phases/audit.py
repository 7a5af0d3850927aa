"""Look for anything of the cluster that is left on a host after it was removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import HostError, PhaseError, SealpyError
from sealpy.inventory.facts import HOSTS_SIGN
from sealpy.sdk import Ask, Result, Steps

__all__ = ["Audit"]

# $1 <dataRoot>/<cluster>, $2 the sign of our lines in /etc/hosts. Prints one line for each trace.
_AUDIT = r"""
for path in "$1" /etc/kubernetes /etc/cni/net.d /var/lib/cni /run/flannel \
    /etc/systemd/system/kubelet.service /etc/systemd/system/containerd.service \
    /etc/systemd/system/sealpy-registry.service; do
  [ -e "$path" ] && echo "path $path"
done
for path in /var/lib/kubelet /var/lib/etcd; do
  [ -d "$path" ] && [ -n "$(ls -A "$path")" ] && echo "files in $path"
done
grep -n "$2\$" /etc/hosts | sed 's/^/line of \/etc\/hosts: /'
grep -rlsF '# written by sealpy' /etc/containerd/certs.d | sed 's/^/mirror /'
for process in /proc/[0-9]*/comm; do
  read -r name < "$process" 2>/dev/null || continue
  case $name in kubelet|kube-*|etcd|containerd|containerd-shim*|coredns|flanneld)
    pid=${process#/proc/}; echo "process ${pid%/comm} $name";;
  esac
done
for link in cni0 flannel.1 kube-ipvs0; do [ -e "/sys/class/net/$link" ] && echo "link $link"; done
for tool in iptables-save ip6tables-save; do
  command -v $tool >/dev/null 2>&1 || continue
  count=$($tool 2>/dev/null | grep -c -E 'KUBE-|FLANNEL-|CNI-')
  [ "$count" = 0 ] || echo "$count rules in $tool"
done
grep -E ' /var/lib/kubelet/| /run/netns/cni-| /run/containerd/' /proc/mounts | cut -d' ' -f2 | sed 's/^/mount /'
for dir in /sys/fs/cgroup/kubepods* /sys/fs/cgroup/*/kubepods*; do [ -d "$dir" ] && echo "control group $dir"; done
for unit in kubelet containerd sealpy-registry; do
  systemctl cat $unit >/dev/null 2>&1 && echo "unit $unit"
done
true
"""


class Audit(Phase[Context]):
    """Look for what is left."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def skip(self, ctx: Context) -> str:
        """Look only after a removal, not after its rehearsal."""
        return "nothing was removed in a rehearsal" if ctx.rehearsal else ""

    def steps(self, ctx: Context, host: str) -> Steps:
        """Ask the host."""
        answer: Result = yield Ask("look for traces", "sh", "-c", _AUDIT, "sh", ctx.directory, HOSTS_SIGN)
        if answer.lines:
            raise HostError(host, f"{len(answer.lines)} traces are left: {'; '.join(answer.lines)}")

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Say what to do about it."""
        return PhaseError(self.title, errors, hint="run the same delete again; what stays is not sealpy's")
