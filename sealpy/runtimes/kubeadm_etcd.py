"""The etcd that runs on the control planes: who is in it, and how it is."""

from __future__ import annotations

from sealpy.errors import HostError
from sealpy.sdk import Ask, On, Result, Run, Steps, Wait

__all__ = ["forget_member", "healthy"]

# etcdctl in the pod of etcd on the leader, whose address is $1. The member of a host is known by its address for peers.
_ETCDCTL = r"""set -eu
export KUBECONFIG=/etc/kubernetes/admin.conf
pod=$(kubectl -n kube-system get pods -l component=etcd \
  -o jsonpath='{range .items[*]}{.status.hostIP} {.metadata.name}{"\n"}{end}' | awk -v ip="$1" '$1 == ip { print $2 }')
[ -n "$pod" ] || { echo "no pod of etcd on $1" >&2; exit 1; }
etcdctl() {
  pki=/etc/kubernetes/pki/etcd
  kubectl -n kube-system exec "$pod" -- etcdctl --endpoints https://127.0.0.1:2379 \
    --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt --key $pki/healthcheck-client.key "$@"
}
"""
_MEMBERS = _ETCDCTL + "etcdctl member list\n"
_HEALTH = _ETCDCTL + "etcdctl endpoint health --cluster\n"
# $2 the id of the member. etcd refuses while it is busy with another change, and when the rest would have no quorum.
_FORGET = (
    _ETCDCTL
    + r"""for _ in 1 2 3 4 5 6 7 8 9 10; do
  if said=$(etcdctl member remove "$2" 2>&1); then echo "$said"; exit 0; fi
  sleep 1
done
printf '%s\n' "$said" >&2
exit 1
"""
)


def healthy(host: str) -> Steps:
    """Wait until every member is healthy; `host` is a control plane, which asks."""
    yield Wait("etcd is healthy", "sh", "-c", _HEALTH, "sh", host, timeout=180)


def forget_member(leader: str, host: str) -> Steps:
    """Remove the member of a host, by the leader; one that is no member needs nothing."""
    found: Result = yield On(leader, Ask("list the members of etcd", "sh", "-c", _MEMBERS, "sh", leader))
    if not found.ok:
        raise HostError(leader, f"etcd does not tell its members: {found.reason}", hint="run the same command again")
    address = f"[{host}]" if ":" in host else host
    for line in found.lines:
        member, _, rest = line.partition(",")
        if f"https://{address}:2380" in rest:
            title = f"remove {host} from etcd"
            yield On(leader, Run(title, "sh", "-c", _FORGET, "sh", leader, member.strip(), timeout=120))
