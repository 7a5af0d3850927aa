"""What one script tells about a host, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["HOSTS_SIGN", "MIRRORS", "Facts", "facts_script", "parse_facts"]

HOSTS_SIGN = "# sealpy"  # ends every line of /etc/hosts that is ours
MIRRORS = "/etc/containerd/certs.d"

# $1 the directory of the cluster on the host, $2 the sign of our lines in /etc/hosts, $3 the directory of mirrors.
# Prints `key=value`, one a line, keys may repeat; needs nothing but a shell and coreutils, so that a host that lacks
# something can be told so.
_SCRIPT = r"""
say() { printf '%s=%s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }
say uid "$(id -u)"
say name "$(uname -n | tr 'A-Z' 'a-z')"
say arch "$(uname -m)"
say kernel "$(uname -r)"
say time "$(date +%s)"
[ -r /etc/os-release ] && (. /etc/os-release; say os "$ID"; say os_version "${VERSION_ID:-}")
say cpus "$(nproc)"
while read -r key value _; do case $key in
  MemTotal:) say memory_kib "$value";; SwapTotal:) say swap_kib "$value";;
esac; done < /proc/meminfo
[ -r /etc/machine-id ] && say machine_id "$(cat /etc/machine-id)"
[ -f /sys/fs/cgroup/cgroup.controllers ] && say cgroup v2 || say cgroup v1
say init "$(cat /proc/1/comm)"
for tool in tar sha256sum mount nsenter ip iptables systemctl xargs base64; do have $tool || say missing $tool; done
for link in /sys/class/net/*; do
  case ${link##*/} in lo|cni*|flannel*|veth*|docker*|kube-*) continue;; esac
  read -r mac < "$link/address" && say mac "$mac"
done
have ip && ip route show default | while read -r _ _ gateway _ device _; do say default_route "$gateway $device"; done
[ -r /etc/resolv.conf ] && while read -r key value _; do
  [ "$key" = nameserver ] && say nameserver "$value"
done < /etc/resolv.conf
while read -r _ _ _ _ at options _; do
  case $at,$options in /sys/fs/cgroup/*,ro,*|/sys/fs/cgroup/*,ro) say readonly "$at";; esac
done < /proc/self/mountinfo
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _; do
  [ "$state" = 0A ] && say port "${local##*:}"
done
for file in /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf /etc/kubernetes/manifests/kube-apiserver.yaml; do
  [ -e $file ] && say file $file
done
for dir in /etc/kubernetes/manifests /etc/kubernetes/pki /var/lib/etcd; do
  [ -d $dir ] && [ -n "$(ls -A $dir 2>/dev/null)" ] && say file $dir/
done
if have systemctl; then
  systemctl is-active containerd docker kubelet sealpy-registry 2>/dev/null | {
    for unit in containerd docker kubelet sealpy-registry; do
      read -r state && [ "$state" = active ] && say active $unit
    done; }
fi
for dir in /var/lib "$(dirname "$1")"; do
  while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
  df -Pk "$dir" | { read -r _; read -r _ _ _ free _; say "free_kib" "$free $dir"; }
done
[ -d "$1/rootfs" ] && say present rootfs
[ -d "$1/incoming" ] && say present incoming
for mark in "$1"/marks/*; do [ -f "$mark" ] && say mark "${mark##*/} $(cat "$mark")"; done
for pair in kube_ca:/etc/kubernetes/pki/ca.crt registry_ca:"$1/registry/ca.crt"; do
  [ -f "${pair#*:}" ] && say "${pair%%:*}" "$(sha256sum < "${pair#*:}" | cut -d' ' -f1)"
done
say own_hosts "$(grep "$2\$" /etc/hosts 2>/dev/null | sha256sum | cut -d' ' -f1)"
[ -d "$3" ] && find "$3" -type f -exec sha256sum {} + | while read -r sum path; do say digest "$sum $path"; done
grep -qw overlay /proc/filesystems && say feature overlay
[ -d /proc/sys/net/bridge ] && say feature bridge
say sysctl "net.ipv4.ip_forward $(cat /proc/sys/net/ipv4/ip_forward)"
true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Hold what is known of a host; sizes in KiB, `time` in seconds since 1970 by the host's clock."""

    uid: int
    name: str
    arch: str
    kernel: str = ""
    os: str = ""
    os_version: str = ""
    init: str = ""
    time: int = 0
    cpus: int = 0
    memory_kib: int = 0
    swap_kib: int = 0
    machine_id: str = ""
    cgroup: str = ""
    macs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # programs that are needed and not there
    default_route: str = ""
    nameservers: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()  # mounts of control groups that cannot be written to
    ports: frozenset[int] = frozenset()  # TCP, somebody listens
    files: frozenset[str] = frozenset()  # traces of a cluster
    active: frozenset[str] = frozenset()  # units
    free_kib: Mapping[str, int] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)  # what sealpy finished here, by name: digest of its input
    kube_ca: str = ""  # sha256 of the file of the cluster's certificate authority
    registry_ca: str = ""  # the same of the registry's
    own_hosts: str = ""  # sha256 of our lines of /etc/hosts, each with its line end
    digests: Mapping[str, str] = field(default_factory=dict)  # sha256 by path, of the container engine's mirrors
    features: frozenset[str] = frozenset()
    sysctls: Mapping[str, str] = field(default_factory=dict)

    def marked(self, name: str, digest: str) -> bool:
        """Tell whether this piece of work was finished here from the same input."""
        return self.marks.get(name) == digest


def facts_script(directory: str) -> tuple[str, ...]:
    """Give the command that prints the facts; `directory` is that of the cluster on the host."""
    return ("sh", "-c", _SCRIPT, "sh", directory, HOSTS_SIGN, MIRRORS)


def parse_facts(text: str) -> Facts:
    """Read what the script printed; unknown keys are passed over, so that scripts may say more."""
    many: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, sign, value = line.partition("=")
        if sign:
            many.setdefault(key, []).append(value)
    one = {key: values[-1] for key, values in many.items()}
    return Facts(
        uid=_number(one.get("uid"), default=-1),
        name=one.get("name", ""),
        arch=one.get("arch", ""),
        kernel=one.get("kernel", ""),
        os=one.get("os", ""),
        os_version=one.get("os_version", ""),
        init=one.get("init", ""),
        time=_number(one.get("time")),
        cpus=_number(one.get("cpus")),
        memory_kib=_number(one.get("memory_kib")),
        swap_kib=_number(one.get("swap_kib")),
        machine_id=one.get("machine_id", ""),
        cgroup=one.get("cgroup", ""),
        macs=tuple(many.get("mac", ())),
        missing=tuple(many.get("missing", ())),
        nameservers=tuple(many.get("nameserver", ())),
        readonly=tuple(many.get("readonly", ())),
        default_route=one.get("default_route", ""),
        ports=frozenset(int(port, 16) for port in many.get("port", ())),
        files=frozenset(many.get("file", ())),
        active=frozenset(many.get("active", ())),
        free_kib={path: _number(size) for size, _, path in (v.partition(" ") for v in many.get("free_kib", ()))},
        present=frozenset(many.get("present", ())),
        marks=dict(_pair(mark) for mark in many.get("mark", ())),
        kube_ca=one.get("kube_ca", ""),
        registry_ca=one.get("registry_ca", ""),
        own_hosts=one.get("own_hosts", ""),
        digests={path: digest for digest, path in map(_pair, many.get("digest", ()))},
        features=frozenset(many.get("feature", ())),
        sysctls=dict(_pair(value) for value in many.get("sysctl", ())),
    )


def _number(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isdecimal() else default


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(" ")
    return key, value
