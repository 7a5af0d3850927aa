#!/bin/bash
# kubelet-pre-start.sh: what a kubelet needs of its machine, before each start, since a reboot forgets it.
set -uo pipefail

RESOLVER=/run/kubelet-resolver # named in etc/kubeadm.yml.tmpl

has_server() {
  grep -E '^nameserver' "$1" 2>/dev/null | grep -Eqv '^nameserver +(127\.|::1$)'
}

# Pods get the machine's resolv.conf. An address on the loopback is not theirs, and without any CoreDNS does not start.
# A machine that knows no name server gives its own address: it says at once that nobody serves there.
choose_resolver() {
  local file own
  mkdir -p "$RESOLVER"
  for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
    if has_server "$file"; then break; fi
    file=$RESOLVER/none.conf
  done
  read -r own _ < <(hostname --all-ip-addresses)
  echo "nameserver ${own:-192.0.2.1}" > "$RESOLVER/none.conf"
  ln -sfn "$file" "$RESOLVER/resolv.conf" # a link, so that pods see what changes in it later
}

swapoff --all

# Built in on some kernels, and on machines that are containers nobody may load any: the kubelet says what it misses.
for module in overlay br_netfilter nf_conntrack; do
  modprobe --quiet "$module" 2>/dev/null
done

if [ "$(getenforce 2>/dev/null)" = Enforcing ]; then setenforce 0; fi

sysctl --quiet --ignore --load /etc/sysctl.d/90-kubernetes.conf
choose_resolver
exit 0
