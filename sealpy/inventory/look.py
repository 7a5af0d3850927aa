"""The script that looks at a host: everything that is asked, in one round trip.

A process costs more than anything it does here, and a shell reads a file byte by byte: so files are read by one `sed`,
those of one line by the shell, and what remains is little. The kernel walks the whole table of connections twice for
`/proc/net/tcp` and `tcp6`, 9 ms where there is much memory, while `ss` asks it for those who listen, 1 ms. 100 hosts
are asked at once, and every run asks.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

# $1 the directory of the cluster on the host, $2 the sign of our lines in /etc/hosts, $3 the directory of mirrors.
# Prints `key=value`, one a line, keys may repeat; needs nothing but a shell, coreutils and sed, so that a host that
# lacks something can be told so. What only a machine that is no node yet is asked stands in `ask_a_new_one`.
SCRIPT = r"""
say() { printf '%s=%s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }
first() { line=; { read -r line < "$2"; } 2>/dev/null; [ -n "$line" ] && say "$1" "$line"; }  # also without line end
up() { dir=$1; while [ ! -d "$dir" ]; do dir=${dir%/*}; dir=${dir:-/}; done; }  # to what is there
mine=$1
say time "$(date +%s.%N)"
names() { say system "$1"; say name "$2"; say kernel "$3"; say arch "$4"; }
names $(uname -snrm)
[ -r /etc/os-release ] && (. /etc/os-release; say os "$ID"; say os_version "${VERSION_ID:-}")
say cpus "$(nproc)"
sed -n '
s/^MemTotal: *\([0-9]*\).*/memory_kib=\1/p
s/^SwapTotal: *\([0-9]*\).*/swap_kib=\1/p
s/^nameserver[[:blank:]]\{1,\}\([^[:blank:]]*\).*/nameserver=\1/p
s/^[[:blank:]]*nodev[[:blank:]]*overlay$/feature=overlay/p
s/^Uid:[[:blank:]]*[0-9]*[[:blank:]]*\([0-9]*\).*/uid=\1/p
s/^[0-9]* [0-9]* [0-9:]* [^ ]* \([^ ]*\) \([^ ]*\) .*- \([^ ]*\) [^ ]* \([^ ]*\)$/mount=\1 \3 \2 \4/p
s/^\([^*[:blank:]]*\)[[:blank:]]0\{8\}[[:blank:]].*[[:blank:]]0\{8\}\([[:blank:]]*[0-9]*\)\{3\} *$/default_route=\1/p
/ lo$/!s/^0\{32\} 00 0\{32\} 00 .* \([^ ]*\)$/default_route=\1/p
' /proc/self/status /proc/meminfo /etc/resolv.conf /proc/filesystems /proc/self/mountinfo /proc/net/route \
  /proc/net/ipv6_route 2>/dev/null
if listening=$(ss -ltn 2>/dev/null); then
  printf '%s\n' "$listening" | while read -r _ _ _ at _; do
    case ${at##*:} in *[!0-9]*|"") ;; *) printf 'port=%04X\n' "${at##*:}";; esac
  done
else
  sed -n 's/^ *[0-9]*: [0-9A-F]*:\([0-9A-F]\{4\}\) [^ ]* 0A .*/port=\1/p' /proc/net/tcp /proc/net/tcp6 2>/dev/null
fi
first machine_id /etc/machine-id
first init /proc/1/comm
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  say cgroup v2; first controllers /sys/fs/cgroup/cgroup.controllers
else
  say cgroup v1; sed -n 's/^\([a-z_]*\)[[:blank:]].*[[:blank:]]1$/controller=\1/p' /proc/cgroups 2>/dev/null
fi
for tool in bash tar sha256sum mount nsenter ip iptables systemctl xargs base64 sed grep find; do
  have $tool || say missing $tool
done
for link in /sys/class/net/*; do
  case ${link##*/} in lo|cni*|flannel*|veth*|docker*|kube-*) continue;; esac
  first mac "$link/address"
done
for file in /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf /etc/kubernetes/manifests/kube-apiserver.yaml \
    /etc/rancher/k3s/k3s.yaml /etc/rancher/rke2/rke2.yaml /var/lib/k0s/pki; do
  [ -e $file ] && say file $file
done
for dir in /etc/kubernetes/manifests /etc/kubernetes/pki /var/lib/etcd; do
  for file in $dir/* $dir/.[!.]*; do [ -e "$file" ] && say file $dir/ && break; done
done
units='containerd docker kubelet sealpy-registry crio k3s rke2-server k0scontroller firewalld ufw'
units="$units systemd-timesyncd chronyd chrony ntpd ntp ntpsec"
if have systemctl; then
  systemctl is-active $units 2>/dev/null | {
    for unit in $units; do read -r state && [ "$state" = active ] && say active $unit; done; }
fi
up "${mine%/*}"; home=$dir; up /var/lib/kubelet; kubelet=$dir; up /var/lib/containerd; engine=$dir; up /var/lib
df -Pk "$dir" "$home" "$kubelet" "$engine" | {
  read -r _; for at in "$dir" "$home"; do read -r _ _ _ free _ && say free_kib "$free $at"; done
  for disk in nodefs imagefs; do read -r _ size _ free _ && say $disk "$free $size"; done; }
[ -d "$mine/rootfs" ] && say present rootfs
[ -d "$mine/incoming" ] && say present incoming
for mark in "$mine"/marks/*; do [ -f "$mark" ] && { read -r line < "$mark"; say mark "${mark##*/} $line"; }; done
kube_ca=/etc/kubernetes/pki/ca.crt; registry_ca=$mine/registry/ca.crt
{ grep "$2\$" /etc/hosts | sha256sum - "$kube_ca" "$registry_ca" "$3"/*/*; } 2>/dev/null |
  while read -r sum path; do
    case $path in
      -) say own_hosts "$sum";; "$kube_ca") say kube_ca "$sum";; "$registry_ca") say registry_ca "$sum";;
      *) say digest "$sum $path";;
    esac
  done
[ -d /proc/sys/net/bridge ] && say feature bridge
first sysctl_ip_forward /proc/sys/net/ipv4/ip_forward
ask_a_new_one() {
  have ip && ip -o address show 2>/dev/null | sed -n 's/^[0-9]*: \([^ ]*\) *inet6\{0,1\} \([^ ]*\).*/interface=\1 \2/p'
  have ip && { ip route show; ip -6 route show; } 2>/dev/null |
    sed -n 's/^\(default\|[0-9a-f:]*[.:][^ ]*\) .*dev \([^ ]*\).*/way=\1 \2/p'
  for module in overlay br_netfilter nf_conntrack vxlan; do
    [ -d /sys/module/$module ] || modprobe -n -q $module 2>/dev/null && say module $module
  done
  say modules "$(ls -d "/lib/modules/$(uname -r)" 2>/dev/null)"
  for dir in /etc /usr/bin /opt /var/lib /run /tmp "${mine%/*}"; do
    up "$dir"
    [ -w "$dir" ] || say unwritable "$dir"
  done
  df -Pi /var/lib 2>/dev/null | { read -r _; read -r _ _ _ free _; say free_inodes "$free"; }
  [ -c /dev/kmsg ] && say feature kmsg
  [ -e /run/systemd/container ] && say feature container
  first product_uuid /sys/class/dmi/id/product_uuid
  first selinux /sys/fs/selinux/enforce
}
[ -f "$mine/marks/node" ] || ask_a_new_one
true
"""
