#!/bin/bash
# clean-kube.sh: take Kubernetes off this host: what init-kube.sh put there, and what `kubeadm reset` and the network of
# pods leave in the kernel and on disk. Does nothing on a host where nothing is left.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

remove_links() {
  local link
  for link in cni0 flannel.1 kube-ipvs0; do
    if [ -e "/sys/class/net/$link" ]; then ip link delete "$link"; fi
  done
}

# remove_chains TOOL: only the chains of Kubernetes, flannel and CNI, and the jumps to them; in one transaction.
remove_chains() {
  command -v "$1-save" > /dev/null || return 0
  "$1-save" 2>/dev/null | awk '
    function ours(chain) { return chain ~ /^(KUBE|FLANNEL|CNI)-/ }
    /^\*/ { table = $0; jumps = flush = remove = "" }
    /^:/ && ours(substr($1, 2)) { flush = flush "-F " substr($1, 2) "\n"; remove = remove "-X " substr($1, 2) "\n" }
    /^-A/ && !ours($2) {
      for (i = 3; i < NF; i++) if (($i == "-j" || $i == "-g") && ours($(i + 1))) { jumps = jumps "-D" substr($0, 3) "\n" }
    }
    /^COMMIT/ && remove != "" { printf "%s\n%s%s%sCOMMIT\n", table, jumps, flush, remove }
  ' | "$1-restore" --noflush
}

# remove_empty_tables: what iptables-nft made and nobody has a rule in now.
remove_empty_tables() {
  command -v nft > /dev/null || return 0
  local family table
  for family in ip ip6; do
    for table in filter nat mangle raw; do
      if nft list table "$family" "$table" 2>/dev/null | awk '
        /^#/ || /^table / || /^\t(chain .*\{|\})$/ || /^\t\ttype .* policy accept;$/ || /^\}$/ || /^$/ { next }
        { used = 1 }
        END { exit used || NR == 0 }
      '; then nft delete table "$family" "$table"; fi
    done
    nft delete table "$family" kube-proxy 2>/dev/null || true # its mode nftables
  done
}

remove_control_groups() {
  local group
  systemctl stop kubepods.slice 2>/dev/null || true # where systemd drives them
  for group in /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods; do
    if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
  done
}

restart_services() {
  [ -f "$STOPPED_SERVICES" ] || return 0
  local service
  while read -r service; do
    systemctl enable --now --quiet "$service" || echo "${0##*/}: $service could not be started again" >&2
  done < "$STOPPED_SERVICES"
  rm -f "$STOPPED_SERVICES"
}

remove_files() {
  local program
  for program in kubeadm kubectl kubelet; do
    remove_installed "$ROOTFS/bin/$program" "$PROGRAMS/$program"
  done
  remove_installed "$ROOTFS/scripts/kubelet-pre-start.sh" "$PROGRAMS/kubelet-pre-start.sh"
  remove_installed "$ROOTFS/etc/90-kubernetes.conf" /etc/sysctl.d/90-kubernetes.conf
  unmount_below /var/lib/kubelet
  empty_directory /var/lib/kubelet /var/lib/etcd
  rm -rf /root/.kube/cache /etc/kubernetes /run/kubelet-resolver /var/lib/cni /run/flannel /var/log/pods /var/log/containers
  rm -f /etc/cni/net.d/10-flannel.conflist
  # The controller manager and the kubelet look for plugins of volumes there.
  remove_empty /usr/libexec/kubernetes/kubelet-plugins/volume/exec /usr/libexec/kubernetes/kubelet-plugins/volume \
    /usr/libexec/kubernetes/kubelet-plugins /usr/libexec/kubernetes /var/lib/kubelet /var/lib/etcd /root/.kube
}

# On a host that is no node of ours (of somebody else's cluster, say) there is nothing to clean.
is_ours kubelet.service || exit 0
systemctl disable --now --quiet kubelet
remove_links
remove_chains iptables
remove_chains ip6tables
remove_empty_tables
remove_control_groups
remove_files
restart_services

# Last, for it says that there is something to do: who was interrupted before can begin again.
rm -rf "$UNITS/kubelet.service.d" "$UNITS/kubelet.service"
systemctl daemon-reload
systemctl reset-failed kubelet 2>/dev/null || true
