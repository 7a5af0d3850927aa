#!/bin/bash
# uninstall-containerd.sh: take the container engine off this host, with its containers, images and mounts, and before it
# whatever of this rootfs still needs it. Does nothing on a host where nothing is left.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

end_containers() {
  [ -S /run/containerd/containerd.sock ] && systemctl is-active --quiet containerd || return 0
  local space task
  for space in $(ctr namespaces list --quiet); do
    for task in $(ctr --namespace "$space" tasks list --quiet); do
      ctr --namespace "$space" tasks kill --all --signal KILL "$task" || true # it may have ended by itself
    done
  done
}

# Shims outlive containerd on purpose; here they must not.
end_shims() {
  local link
  for link in /proc/[0-9]*/exe; do
    case $(readlink "$link" 2>/dev/null || true) in
      "$PROGRAMS"/containerd-shim-runc-v2*)
        link=${link#/proc/}
        kill -KILL "${link%/exe}" 2>/dev/null || true
        ;;
    esac
  done
}

cd "$ROOTFS/scripts"
bash clean-kube.sh
bash uninstall-registry.sh

is_ours containerd.service || exit 0
end_containers
systemctl disable --now --quiet containerd
end_shims
unmount_below /run/containerd /var/lib/containerd
rm -rf /run/containerd /run/nri
empty_directory /var/lib/containerd
for program in containerd containerd-shim-runc-v2 ctr runc; do
  remove_installed "$ROOTFS/cri/$program" "$PROGRAMS/$program"
done
for program in "$ROOTFS"/cri/cni/*; do
  remove_installed "$program" "$CNI_PROGRAMS/${program##*/}"
done
remove_installed "$ROOTFS/etc/containerd.toml" /etc/containerd/config.toml
# containerd makes /opt/containerd when it starts.
remove_empty /opt/containerd/bin /opt/containerd/lib /opt/containerd /opt/cni/bin /opt/cni /etc/cni/net.d /etc/cni
remove_empty /etc/containerd/certs.d /etc/containerd /var/lib/containerd /run/netns

# Last, for it says that there is something to do: who was interrupted before can begin again.
rm -f "$UNITS/containerd.service"
systemctl daemon-reload
systemctl reset-failed containerd 2>/dev/null || true
