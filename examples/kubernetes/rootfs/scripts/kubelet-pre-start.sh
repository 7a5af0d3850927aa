#!/bin/bash
# kubelet-pre-start.sh: what a kubelet needs of its machine, before each start, since a reboot forgets it.
set -uo pipefail

swapoff --all

# Built in on some kernels, and on machines that are containers nobody may load any: the kubelet says what it misses.
for module in overlay br_netfilter nf_conntrack; do
  modprobe --quiet "$module" 2>/dev/null
done

if [ "$(getenforce 2>/dev/null)" = Enforcing ]; then setenforce 0; fi

sysctl --quiet --ignore --load /etc/sysctl.d/90-kubernetes.conf
exit 0
