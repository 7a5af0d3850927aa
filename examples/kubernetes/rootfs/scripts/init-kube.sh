#!/bin/bash
# init-kube.sh: install kubeadm, kubectl and the kubelet, whose unit kubeadm starts. A second run finds nothing to do.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# An account's PATH may find those of a package before ours, and they would be of another version.
refuse_foreign_programs() {
  local program
  for program in kubeadm kubelet kubectl; do
    [ ! -e "/usr/bin/$program" ] || fail "/usr/bin/$program is of another installation: remove that first"
  done
}

# Their rules would stand between the nodes. clean-kube.sh starts them again.
stop_firewalls() {
  local service
  for service in firewalld ufw; do
    if systemctl is-active --quiet "$service"; then
      echo "$service is stopped and disabled while this host is a node"
      systemctl disable --now --quiet "$service"
      echo "$service" >> "$STOPPED_SERVICES"
    fi
  done
}

refuse_foreign_programs
stop_firewalls
for program in kubeadm kubectl kubelet; do
  install_program "$ROOTFS/bin/$program" "$PROGRAMS/$program"
done
install_program "$ROOTFS/scripts/kubelet-pre-start.sh" "$PROGRAMS/kubelet-pre-start.sh"
install_text "$ROOTFS/etc/90-kubernetes.conf" /etc/sysctl.d/90-kubernetes.conf
mkdir -p /etc/kubernetes/manifests

CHANGED=no
install_text "$ROOTFS/etc/kubelet.service" "$UNITS/kubelet.service"
install_text "$ROOTFS/etc/10-kubeadm.conf" "$UNITS/kubelet.service.d/10-kubeadm.conf"
if [ "$CHANGED" = yes ]; then systemctl daemon-reload; fi
systemctl is-enabled --quiet kubelet || systemctl enable --quiet kubelet

"$PROGRAMS/kubelet-pre-start.sh"
