#!/usr/bin/env bash
# by_hand.sh TREES KEY MASTER WORKER: the needed commands and nothing else, for a comparison side by side.
# TREES holds master/ and worker/: the root file systems to lay over each machine's, rootfs rendered, certificates made.
# Prints seconds since the start behind each part; ends when every node is ready and CoreDNS is available.
set -euo pipefail
trees=$1 key=$2 master=$3 worker=$4
rootfs=/var/lib/sealpy/data/by-hand/rootfs
ssh=(ssh -i "$key" -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR)
begun=$(date +%s%N)
t() { echo "$((($(date +%s%N) - begun) / 1000000)) ms $*"; }

prepare() { # HOST TREE
  tar -C "$trees/$2" -cf - . | "${ssh[@]}" "root@$1" "tar -C / --keep-directory-symlink -xf - && cat /etc/hosts.add >> /etc/hosts"
  "${ssh[@]}" "root@$1" "export HostIP=$1 RegistryURL=sea.hub:5000 CgroupDriver=cgroupfs; bash $rootfs/scripts/containerd.sh && cd $rootfs/scripts && bash init-kube.sh" > "/tmp/by-hand-$2.log" 2>&1
}
prepare "$master" master & one=$!
prepare "$worker" worker & two=$!
wait $one $two
t copied and prepared
"${ssh[@]}" "root@$master" "cd $rootfs/scripts && bash init-registry.sh 5000 $rootfs/registry sea.hub" > /tmp/by-hand-registry.log 2>&1
t registry
"${ssh[@]}" "root@$master" "kubeadm init --config /root/kubeadm.yaml --ignore-preflight-errors=SystemVerification" > /tmp/by-hand-init.log 2>&1
t init
"${ssh[@]}" "root@$master" "mkdir -p /root/.kube && cp /etc/kubernetes/admin.conf /root/.kube/config && kubectl apply -f $rootfs/application/apps/flannel/flannel.yaml" > /dev/null
t network
"${ssh[@]}" "root@$worker" "kubeadm join apiserver.cluster.local:6443 --token abcdef.0123456789abcdef --discovery-token-unsafe-skip-ca-verification" > /tmp/by-hand-join.log 2>&1
t join
"${ssh[@]}" "root@$master" 'until [ "$(kubectl get nodes -o name | wc -l)" = 2 ]; do sleep 0.2; done
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n kube-system rollout status deployment/coredns --timeout=120s' > /dev/null
t ready
