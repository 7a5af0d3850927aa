"""Kubernetes by kubeadm, from the rootfs of a cluster image."""

from __future__ import annotations

import ipaddress
import json
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import replace

from sealpy.errors import CommandError, ConfigError
from sealpy.runtimes import ClusterPlan, JoinTicket, Ranges
from sealpy.runtimes.kubeadm_change import RENEWED, Change, compare
from sealpy.runtimes.kubeadm_config import DISCOVERY, discovery, init_config, join_config, reconfiguration, settings
from sealpy.runtimes.kubeadm_etcd import forget_member, healthy
from sealpy.runtimes.kubeadm_merge import layered
from sealpy.runtimes.kubeadm_reconfigure import RECONFIGURE_KUBELET, publish, reconfigure_control_plane
from sealpy.runtimes.kubeadm_upgrade import renew_kubeconfig, renew_kubelet, serves, start_kubelet, upgrade, upload
from sealpy.runtimes.versions import check_downgrade, check_upgrade
from sealpy.sdk import Fetch, Put, Result, Run, Steps
from sealpy.sdk.nodes import ADMIN_CONF

__all__ = ["Kubeadm"]

_CONFIG = "/etc/kubernetes/kubeadm.yaml"
_CA = "/etc/kubernetes/pki/ca.crt"

# What a kubelet keeps free on Linux when nobody says anything (its v1beta1 defaults).
_KEPT_FREE = {"nodefs.available": "10%", "imagefs.available": "15%"}

# What the ancestor ignores too: sealpy checks the system itself before the first change; the kubelet unit may be
# running already; `statics` of the image may have been copied to /etc/kubernetes.
_IGNORED = "--ignore-preflight-errors=SystemVerification,Port-10250,DirAvailable--etc-kubernetes-manifests"

# $1 the rootfs.
_PREPARE = """set -eu
cd "$1/scripts" && bash init-kube.sh
if [ -d "$1/statics" ]; then mkdir -p /etc/kubernetes && cp -R "$1/statics/." /etc/kubernetes/; fi
"""

# What `kubeadm reset` leaves behind (measured): links, routes, rules, CNI's state, empty control groups. $1 the rootfs,
# $2 phases that kubeadm leaves out. An image's own script goes first; the rest is for images that have none. When that
# script fails, the rest is done all the same, and the failure told at the end.
_RESET = r"""set -u
status=0
if cmp -s /root/.kube/config /etc/kubernetes/admin.conf; then rm -f /root/.kube/config; fi
if command -v kubeadm >/dev/null 2>&1; then kubeadm reset -f --skip-phases "$2" 2>&1 | tail -n 5; fi
systemctl disable --now kubelet >/dev/null 2>&1
if [ -f "$1/scripts/clean-kube.sh" ]; then
  said=$(cd "$1/scripts" && bash clean-kube.sh 2>&1) || status=$?
  [ -z "$said" ] || printf '%s\n' "$said"
fi
for link in cni0 flannel.1 kube-ipvs0 tunl0 vxlan.calico; do ip link delete "$link" 2>/dev/null; done
for tool in iptables ip6tables; do
  command -v $tool-save >/dev/null 2>&1 || continue
  saved=$($tool-save 2>/dev/null) || continue
  case $saved in *KUBE-*|*FLANNEL-*|*CNI-*|*cali-*)
    printf '%s\n' "$saved" | grep -v -E 'KUBE-|FLANNEL-|CNI-|cali-|flanneld' | $tool-restore;;
  esac
done
rm -rf /etc/kubernetes /etc/cni/net.d /var/lib/cni /run/flannel /var/lib/kubelet/* /var/lib/etcd/*
rmdir /root/.kube 2>/dev/null
for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
  [ -d "$root/kubepods" ] && find "$root/kubepods" -depth -type d -exec rmdir {} + 2>/dev/null
done
[ "$status" = 0 ] || printf 'clean-kube.sh ended with exit status %s: %s\n' "$status" "$said" >&2
exit "$status"
"""


class Kubeadm:
    """Install Kubernetes by kubeadm 1.24 or later, with the container engine that the image brought."""

    def __init__(self, plan: ClusterPlan, *, secret: Callable[[str], None] = lambda _: None) -> None:
        """Take the plan, and whom to tell each secret that is made, before kubeadm can print it."""
        self.plan = plan
        self._secret = secret

    def ranges(self) -> Ranges:
        """Read them from the documents for kubeadm; raises ConfigError."""
        documents = layered(self.plan.documents, self.plan.overrides)
        networking = documents.get("ClusterConfiguration", {}).get("networking") or {}
        return Ranges(pods=_ranges(networking, "podSubnet"), services=_ranges(networking, "serviceSubnet"))

    def kept_free(self) -> Mapping[str, str]:
        """Read it from the document for the kubelet, which has its own opinion where that says nothing."""
        kubelet = settings(self.plan)["KubeletConfiguration"]
        given = kubelet.get("evictionHard")
        if given is None:
            return _KEPT_FREE
        return {
            **(_KEPT_FREE if kubelet.get("mergeDefaultEvictionSettings") else {}),
            **{signal: str(amount) for signal, amount in given.items()},
        }

    def prepare(self, host: str) -> Steps:
        """Run `init-kube.sh` of the image (sealer.md §5.2)."""
        env = {**self.plan.env.get(host, {}), "RegistryURL": self.plan.registry_url}
        yield Run("install kubelet and kubeadm", "sh", "-c", _PREPARE, "sh", self.plan.rootfs, env=env.items())

    def init(self, host: str) -> Steps:
        """Make the first control plane; returns the JoinTicket, whose token lives two hours."""
        del host  # the plan knows its leader
        draft = self._draft()
        yield from self._configure(init_config(self.plan, ticket=draft))
        yield from self._kubeadm("init control plane", "init", "--upload-certs", "--skip-token-print")
        yield from self._own_kubeconfig()
        return replace(draft, authority=(yield from self._authority()))

    def issue_ticket(self, leader: str) -> Steps:
        """Make a token and upload the certificates again; both are secret: they travel in the configuration file."""
        del leader
        draft = self._draft()
        yield from self._configure(init_config(self.plan, ticket=draft))
        yield Run(
            "make a join token",
            *("kubeadm", "init", "phase", "bootstrap-token", "--config", _CONFIG, "--skip-token-print"),
            sensitive=True,
        )
        yield Run(
            "upload certificates",
            *("kubeadm", "init", "phase", "upload-certs", "--upload-certs", "--config", _CONFIG),
            sensitive=True,
        )
        yield self._forget()
        return replace(draft, authority=(yield from self._authority()))

    def join_control_plane(self, host: str, ticket: JoinTicket) -> Steps:
        """Join as one more control plane, with its own etcd member."""
        yield from self._join("join control plane", host, ticket)
        yield from self._own_kubeconfig()

    def join_worker(self, host: str, ticket: JoinTicket) -> Steps:
        """Join as a worker."""
        yield from self._join("join worker", host, ticket)

    def settings(self) -> str:
        """Give the documents that hold for the cluster as a whole, as JSON."""
        return json.dumps(settings(self.plan), sort_keys=True)

    def compare(self, before: str) -> Change:
        """Compare the documents of before with those of the plan; raises ConfigError for what cannot change."""
        return compare(json.loads(before), settings(self.plan)) if before else Change()

    def compare_renewed(self, before: str) -> Change:
        """Compare likewise, but for what comes with another Kubernetes and is brought in by its upgrade."""
        return compare(json.loads(before), settings(self.plan), but=RENEWED) if before else Change()

    @property
    def version(self) -> str:
        """Give the version that the documents name; "" when they do not."""
        return str(settings(self.plan)["ClusterConfiguration"].get("kubernetesVersion") or "")

    @property
    def keeps_etcd(self) -> bool:
        """Tell whether etcd runs on the control planes, and not elsewhere."""
        return not (settings(self.plan)["ClusterConfiguration"].get("etcd") or {}).get("external")

    def check_upgrade(self, server: str, *, kubelets: Mapping[str, str]) -> None:
        """Refuse a version that the cluster cannot be brought to; raises ConfigError."""
        check_upgrade(server, self.version, kubelets=kubelets)

    def check_downgrade(self, server: str) -> None:
        """Refuse a version that the cluster cannot go back to; raises ConfigError."""
        check_downgrade(server, self.version)

    def health(self, host: str) -> Steps:
        """Wait until every member of etcd is healthy; `host` is a control plane."""
        if self.keeps_etcd:
            yield from healthy(host)

    def upgrade_leader(self, host: str) -> Steps:
        """Let the cluster know the documents of its new Kubernetes, and bring the first control plane to it."""
        yield from self._configure(reconfiguration(self.plan, host))
        yield from upload(self.plan.rootfs, _CONFIG)
        yield self._forget()
        yield from upgrade(self.plan.rootfs, self.version, "apply", self.version, "--yes")
        yield from renew_kubeconfig()
        yield from serves()

    def upgrade_control_plane(self, host: str) -> Steps:
        """Bring one more control plane to it."""
        del host
        yield from upgrade(self.plan.rootfs, self.version, "node")
        yield from renew_kubeconfig()
        yield from serves()

    def upgrade_worker(self, host: str) -> Steps:
        """Let a worker read what its new kubelet needs."""
        del host
        yield from upgrade(self.plan.rootfs, self.version, "node")

    def renew_kubelet(self, host: str) -> Steps:
        """Put the new programs in place, and start the kubelet by them."""
        yield from renew_kubelet(self.prepare(host))

    def start_kubelet(self) -> Steps:
        """Start a kubelet that was stopped while its programs were to change."""
        yield from start_kubelet()

    def serves(self, host: str) -> Steps:
        """Wait until the API server of a control plane is ready and stays so."""
        del host
        yield from serves()

    def reconfigure_control_plane(self, host: str, change: Change) -> Steps:
        """Write the manifests of the parts concerned anew, and wait until they run by them."""
        yield from self._configure(reconfiguration(self.plan, host))
        yield from reconfigure_control_plane(_CONFIG, change)
        yield self._forget()

    def publish(self, leader: str, change: Change) -> Steps:
        """Upload the documents to the cluster, and let kube-proxy begin anew where it is concerned."""
        yield from self._configure(reconfiguration(self.plan, leader))
        yield from publish(_CONFIG, change)
        yield self._forget()

    def reconfigure_node(self, host: str, change: Change) -> Steps:
        """Let the kubelet fetch what was uploaded; pods go on running."""
        del host
        if change.kubelet:
            yield Run("reconfigure kubelet", "sh", "-c", RECONFIGURE_KUBELET, timeout=300)

    def forget(self, host: str) -> Steps:
        """Remove the host's member of etcd, by the leader; where etcd runs elsewhere, it has none."""
        if not self.keeps_etcd:
            return
        yield from forget_member(self.plan.leader, host)

    def reset(self, host: str) -> Steps:
        """Take Kubernetes off; works on a host where an install stopped half way, too.

        No etcd member is taken out here: of a host that leaves `forget` has done it, and when the whole cluster goes,
        members that leave all at once would wait for a quorum that is gone.
        """
        del host
        yield Run("reset Kubernetes", "sh", "-c", _RESET, "sh", self.plan.rootfs, "remove-etcd-member", timeout=300)

    def _draft(self) -> JoinTicket:
        ticket = JoinTicket(token=_token(), authority="", certificate_key=secrets.token_hex(32))
        self._secret(ticket.token)
        self._secret(ticket.certificate_key)
        return ticket

    def _configure(self, text: str) -> Steps:
        yield Put("write kubeadm configuration", _CONFIG, text.encode(), mode=0o600, sensitive=True)

    def _forget(self) -> Run:
        return Run("remove kubeadm configuration", "rm", "-f", _CONFIG, DISCOVERY)

    def _join(self, title: str, host: str, ticket: JoinTicket) -> Steps:
        yield from self._configure(join_config(self.plan, host, ticket=ticket))
        yield Put("tell where the cluster is", DISCOVERY, discovery(self.plan, ticket=ticket).encode())
        yield from self._kubeadm(title, "join")

    def _kubeadm(self, title: str, *words: str) -> Steps:
        """Run kubeadm; its configuration holds the secrets, so they are in no argument list, and goes afterwards."""
        try:
            yield Run(title, "kubeadm", *words, "--config", _CONFIG, _IGNORED, timeout=900, live=True)
        except CommandError as error:
            yield self._forget()
            error.hint = error.hint or "run the same command again: what is half made is reset first"
            raise
        yield self._forget()

    def _own_kubeconfig(self) -> Steps:
        """Let root use kubectl here; a kubeconfig that is there is somebody's, and stays."""
        script = '[ -e "$2" ] || install -D -m 600 "$1" "$2"'
        yield Run("give root a kubeconfig", "sh", "-c", script, "sh", ADMIN_CONF, "/root/.kube/config")

    def _authority(self) -> Steps:
        """Read it byte for byte: kubeadm puts it on those who join, and by its sum a host is known as one of them."""
        found: Result = yield Fetch("read the certificate authority", _CA)
        return found.stdout.decode() if found.ok else ""


def _token() -> str:
    alphabet = string.ascii_lowercase + string.digits
    return ".".join("".join(secrets.choice(alphabet) for _ in range(length)) for length in (6, 16))


def _ranges(networking: Mapping[str, object], key: str) -> tuple[str, ...]:
    texts = [text.strip() for text in str(networking.get(key) or "").split(",") if text.strip()]
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            message = f"ClusterConfiguration: networking.{key}: '{text}' is no range of addresses"
            raise ConfigError(message, hint="such as 10.96.0.0/16") from error
    return tuple(texts)
