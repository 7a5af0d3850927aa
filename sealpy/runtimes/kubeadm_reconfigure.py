"""How kubeadm brings changed settings to a cluster that lives."""

from __future__ import annotations

from sealpy.runtimes.kubeadm_change import Change
from sealpy.sdk import Run, Steps, Wait
from sealpy.sdk.nodes import ADMIN_CONF, KUBECTL

__all__ = ["RECONFIGURE_KUBELET", "publish", "reconfigure_control_plane"]

_MANIFESTS = "/etc/kubernetes/manifests"

# $1 the configuration, then the parts of the control plane. A manifest that comes out as it was keeps its time, since
# the kubelet does not restart anything for it.
_RECONFIGURE = r"""set -eu
config=$1
shift
manifests=/etc/kubernetes/manifests
for part in "$@"; do
  case $part in
    certificates)
      rm -f /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.key
      kubeadm init phase certs apiserver --config "$config"
      continue;;
    etcd) file=etcd.yaml; set -- etcd local;;
    *) file=kube-$part.yaml; set -- control-plane "$part";;
  esac
  before=$(mktemp)
  cp -p "$manifests/$file" "$before"
  kubeadm init phase "$@" --config "$config"
  cmp -s "$before" "$manifests/$file" && cp -p "$before" "$manifests/$file"
  rm -f "$before"
done
"""
# $1 the name of a process, $2 its manifest: it runs, and was started behind the last change of that.
_RESTARTED = r"""read -r up _ < /proc/uptime
written=$(($(date +%s) - $(stat -c %Y "$2")))
for process in /proc/[0-9]*; do
  read -r name < "$process/comm" 2>/dev/null || continue
  [ "$name" = "$1" ] || continue
  age=$((${up%.*} - $(cut -d' ' -f22 "$process/stat") / 100))
  [ "$age" -le "$written" ] && exit 0
  echo "$1 runs as it was for $age s" >&2
  exit 1
done
echo "$1 does not run" >&2
exit 1
"""
_PROCESSES = {  # as the kernel names them: 15 letters
    "etcd": ("etcd", "etcd"),
    "apiserver": ("kube-apiserver", "kube-apiserver"),
    "controller-manager": ("kube-controller", "kube-controller-manager"),
    "scheduler": ("kube-scheduler", "kube-scheduler"),
}
RECONFIGURE_KUBELET = "kubeadm upgrade node phase kubelet-config && systemctl restart kubelet"
_PROXY = """kubeadm init phase addon kube-proxy --config "$1" &&
kubectl --kubeconfig "$2" -n kube-system rollout restart daemonset kube-proxy"""


def reconfigure_control_plane(config: str, change: Change) -> Steps:
    """Write the manifests of the parts concerned anew, and wait until they run by them; `config` is kubeadm's file."""
    parts = change.control_plane
    yield Run(f"reconfigure {', '.join(parts)}", "sh", "-c", _RECONFIGURE, "sh", config, *parts, timeout=300)
    for part in parts:
        if part in _PROCESSES:
            process, manifest = _PROCESSES[part]
            path = f"{_MANIFESTS}/{manifest}.yaml"
            yield Wait(f"{process} runs with it", "sh", "-c", _RESTARTED, "sh", process, path, timeout=300)
    yield Wait("its API server is ready", *KUBECTL, "get", "--raw", "/readyz", timeout=300)


def publish(config: str, change: Change) -> Steps:
    """Upload the documents to the cluster, and let kube-proxy begin anew where it is concerned."""
    upload = ("kubeadm", "init", "phase", "upload-config", "all", "--config", config)
    yield Run("upload the settings of the cluster", *upload)
    if change.proxy:
        yield Run("reconfigure kube-proxy", "sh", "-c", _PROXY, "sh", config, ADMIN_CONF, timeout=120)
