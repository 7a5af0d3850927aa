#!/bin/bash
# containerd.sh: install the container engine and start it. A second run finds nothing to do and restarts nothing.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Two engines would fight for one socket, and for each other's containers.
refuse_foreign_engine() {
  systemctl is-active --quiet containerd || return 0
  local pid program
  pid=$(systemctl show --property MainPID --value containerd)
  program=$(readlink "/proc/$pid/exe" || true)
  [ "${program% (deleted)}" = "$PROGRAMS/containerd" ] ||
    fail "another containerd runs here (${program:-unknown}): remove it, and docker if that brought it"
}

refuse_foreign_engine

for program in "$ROOTFS"/cri/cni/*; do
  install_program "$program" "$CNI_PROGRAMS/${program##*/}" # started anew for each pod
done
mkdir -p /etc/containerd/certs.d /etc/cni/net.d

CHANGED=no
for program in containerd containerd-shim-runc-v2 ctr runc; do
  install_program "$ROOTFS/cri/$program" "$PROGRAMS/$program"
done
install_text "$ROOTFS/etc/containerd.toml" /etc/containerd/config.toml
install_text "$ROOTFS/etc/containerd.service" "$UNITS/containerd.service"
if [ "$CHANGED" = yes ]; then
  systemctl daemon-reload
  systemctl enable --quiet containerd
  systemctl restart containerd # containers go on running
else
  systemctl start containerd
fi
