"""How kubeadm brings a cluster that lives to another version.

The order and the commands are those of https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/:
`kubeadm upgrade apply` on one control plane, `kubeadm upgrade node` on each other host, and behind it, on a node that
is drained, the new kubelet. Both commands may be repeated at any time, as that page says, also behind a cut. kubeadm
comes out of the rootfs, since the one beside the kubelet changes with it: it must be there before, and a kubelet that
is newer than what kubeadm left for it to read does not start.
"""

from __future__ import annotations

from sealpy.sdk import Run, Steps, Wait
from sealpy.sdk.nodes import ADMIN_CONF

__all__ = ["renew_kubeconfig", "renew_kubelet", "serves", "start_kubelet", "upgrade", "upload"]

# sealpy checks the system itself. kubeadm 1.35 refuses control groups v1, with which its kubelet may be told to live.
_IGNORED = "--ignore-preflight-errors=SystemVerification"

# $1 kubeadm, $2 the version it must be of, then its words. Before it changes anything kubeadm runs a Job, and gives up
# after 15 seconds, which a busy cluster may not manage at once: then it is asked again.
_UPGRADE = r"""set -eu
kubeadm=$1 version=$2
shift 2
found=$("$kubeadm" version -o short)
if [ "$found" != "$version" ]; then
  echo "kubeadm of the image is $found, but its documents say $version" >&2
  exit 1
fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT
for attempt in 1 2 3; do
  status=0
  "$kubeadm" upgrade "$@" 2>"$said" || status=$?
  cat "$said" >&2
  if [ $status = 0 ] || ! grep -q 'ERROR CreateJob' "$said"; then break; fi
done
exit $status
"""
# A kubelet of another version may start the pods of its control plane anew, a few seconds after it has come up itself.
_SERVES = r"""for _ in 1 2 3 4 5; do
  kubectl --kubeconfig "$1" --request-timeout 5s get --raw /readyz >/dev/null || exit 1
  sleep 2
done
"""
# $1 the administrator's kubeconfig, with the certificate that kubeadm gave it, $2 root's. Another cluster's stays.
_RENEW = r"""set -eu
rest() { sed '/client-certificate-data:/d; /client-key-data:/d' "$1"; }
[ -f "$2" ] && [ "$(rest "$1")" = "$(rest "$2")" ] || exit 0
install -m 600 "$1" "$2.sealpy" && mv -f "$2.sealpy" "$2"
"""
_START = "systemctl daemon-reload && systemctl start kubelet"


def upload(rootfs: str, config: str) -> Steps:
    """Let the cluster know its documents, by the kubeadm that understands them."""
    words = ("init", "phase", "upload-config", "all", "--config", config)
    yield Run("upload the settings of the cluster", f"{rootfs}/bin/kubeadm", *words)


def upgrade(rootfs: str, version: str, *words: str) -> Steps:
    """Run `kubeadm upgrade` with these words, out of the rootfs, when it is of this version."""
    kubeadm = f"{rootfs}/bin/kubeadm"
    title = f"kubeadm upgrade {' '.join(word for word in words if not word.startswith('-'))}"
    yield Run(title, "sh", "-c", _UPGRADE, "sh", kubeadm, version, *words, _IGNORED, timeout=1800, live=True)


def renew_kubeconfig() -> Steps:
    """Give root the administrator's new certificate where root had the one before."""
    words = ("sh", "-c", _RENEW, "sh", ADMIN_CONF, "/root/.kube/config")
    yield Run("give root the renewed kubeconfig", *words)


def renew_kubelet(prepare: Steps) -> Steps:
    """Put programs in place by these steps while the kubelet is down: pods go on running meanwhile."""
    yield Run("stop the kubelet", "systemctl", "stop", "kubelet")
    yield from prepare
    yield from start_kubelet()


def start_kubelet() -> Steps:
    """Start the kubelet by what is in place for it."""
    yield Run("start the kubelet", "sh", "-c", _START)


def serves() -> Steps:
    """Wait until the API server of this host answers, and goes on doing so for some seconds."""
    yield Wait("its API server is ready", "sh", "-c", _SERVES, "sh", ADMIN_CONF, timeout=300)
