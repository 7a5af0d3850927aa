"""Many hosts on this machine: a real sshd for each on a loopback address, and a Kubernetes that is played.

Each sshd lives in a mount and a host-name namespace of its own, so each host has its own files, name and machine-id.
kubeadm, kubectl and systemctl are shell scripts of a few lines, and one API server is played for all hosts over real
TLS: what is measured is sealpy itself, its SSH and its API client, without the time that Kubernetes takes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from sealpy.registry import Authority
from sealpy.testing.sshd import make_key

__all__ = ["FILES", "Hosts", "hosts"]

_SSH_PORT = 22022
_API_PORT = 6443
_REGISTRY_PORT = 5000

FILES = {
    "etc/kubeadm.yml": b"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n",
    "bin/kubelet": b"kubelet",
    "scripts/containerd.sh": b"touch /run/fleet-host/containerd\n",
    "scripts/init-registry.sh": b"touch /run/fleet-host/sealpy-registry; : > @/up\n",
    "scripts/init-kube.sh": b"true\n",
    "scripts/clean-kube.sh": b"true\n",
}
"""The rootfs of an image for these hosts; `@` stands for the directory of the fleet."""

_PROGRAMS = {
    "kubeadm": """case "$1 $2" in
"init phase") ;;
init*|join*)
  mkdir -p /etc/kubernetes/pki /etc/kubernetes/manifests
  cp @/ca.crt /etc/kubernetes/pki/; cp @/admin.conf /etc/kubernetes/
  : > /etc/kubernetes/kubelet.conf; touch /run/fleet-host/kubelet; : > @/up
  while ! (exec 3<>/dev/tcp/127.0.1.1/6443) 2>/dev/null; do sleep 0.02; done;;
reset*) rm -rf /etc/kubernetes/*; rm -f /run/fleet-host/kubelet;;
esac
""",
    "kubectl": 'case "$*" in *corefile*|*coredns*) echo ".:53 {}";; esac\n',
    "systemctl": """if [ "$1" = is-active ]; then
  shift; for unit; do if [ -e /run/fleet-host/$unit ]; then echo active; else echo inactive; fi; done
fi
""",
}

# $1 the directory of the fleet, $2 the name of the host. Every write of a run goes to a file system of this host alone.
_HOST = r"""set -e
mount --make-rprivate /
hostname "$2"
own=$1/$2
mkdir -p "$own"
empty="/var/lib/sealpy /var/lib/etcd /run/sealpy /run/lock /run/fleet-host /sys/class/net"
for dir in $empty; do
  mkdir -p $dir
  mount -t tmpfs tmpfs $dir
done
echo "$2" > "$own/machine-id"; echo systemd > "$own/comm"
mount --bind "$own/comm" /proc/1/comm
mkdir -p "$own/etc"
mount -t tmpfs tmpfs "$own/etc"
mkdir "$own/etc/up" "$own/etc/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$own/etc/up,workdir=$own/etc/work" /etc
mount --bind "$own/machine-id" /etc/machine-id
mkdir -p /etc/kubernetes /etc/containerd
# what the shell of whoever measures here does at its start is no part of a login on the host of a cluster
for file in ~/.bashrc ~/.profile ~/.bash_profile; do
  if [ -e "$file" ]; then mount --bind /dev/null "$file"; fi
done
for program in kubeadm kubectl systemctl; do
  for dir in /usr/bin /usr/local/bin; do
    if [ -e $dir/$program ]; then mount --bind "$1/bin/$program" $dir/$program; fi
  done
done
exec /usr/sbin/sshd -D -e -f "$own.conf"
"""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Name the hosts that run: their addresses, the port of every sshd, and the key that opens them."""

    addresses: tuple[str, ...]
    port: int
    key: Path


@contextlib.contextmanager
def hosts(directory: Path, count: int) -> Generator[Hosts]:
    """Run so many hosts, and the API server of the cluster that they become, while the block runs; needs root."""
    names = [f"fleet-{n}" for n in range(1, count + 1)]
    addresses = tuple(f"127.0.1.{n}" for n in range(1, count + 1))
    _write_programs(directory)
    key = make_key(directory / "key")
    host_key = make_key(directory / "host_key")
    _write_configs(directory, names, addresses, key, host_key)
    authority = Authority.create("fleet")
    (directory / "ca.crt").write_bytes(authority.certificate)
    (directory / "admin.conf").write_text(json.dumps(_admin_conf(authority, addresses[0])))
    running = [
        subprocess.Popen(
            ["unshare", "--mount", "--uts", "sh", "-c", _HOST, "sh", str(directory), name],
            stdout=subprocess.DEVNULL,
            stderr=(directory / f"{name}.log").open("wb"),
        )
        for name in names
    ]
    stop = threading.Event()
    api = threading.Thread(target=_serve, args=(directory, authority, tuple(zip(names, addresses, strict=True)), stop))
    api.start()
    try:
        _wait(addresses)
        yield Hosts(addresses, _SSH_PORT, key)
    finally:
        stop.set()
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)
        api.join()


def _write_programs(directory: Path) -> None:
    (directory / "bin").mkdir(parents=True)
    for name, text in _PROGRAMS.items():
        path = directory / "bin" / name
        path.write_text("#!/bin/bash\n" + text.replace("@", str(directory)))
        path.chmod(0o755)
        place = Path("/usr/local/bin") / name  # something to bind to, where the machine has no such program
        if not place.exists() and not (Path("/usr/bin") / name).exists():
            place.write_text("#!/bin/sh\nexit 1\n")
            place.chmod(0o755)


def _write_configs(directory: Path, names: Sequence[str], addresses: Sequence[str], key: Path, host_key: Path) -> None:
    Path("/run/sshd").mkdir(exist_ok=True)
    for name, address in zip(names, addresses, strict=True):
        (directory / f"{name}.conf").write_text(
            f"ListenAddress {address}\nPort {_SSH_PORT}\nPidFile none\nStrictModes no\nUsePAM no\n"
            f"PermitRootLogin yes\nPasswordAuthentication no\nAuthorizedKeysFile {key}.pub\nHostKey {host_key}\n"
        )


def _wait(addresses: Sequence[str]) -> None:
    import socket  # noqa: PLC0415

    deadline = time.monotonic() + 60
    for address in addresses:
        while True:
            with contextlib.suppress(OSError), socket.create_connection((address, _SSH_PORT), timeout=1):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"sshd of {address} does not listen")
            time.sleep(0.05)


def _admin_conf(authority: Authority, leader: str) -> dict[str, Any]:
    certificate = base64.b64encode(authority.certificate).decode()
    cluster = {"server": f"https://{leader}:{_API_PORT}", "certificate-authority-data": certificate}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fleet", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": "not-a-secret"}}],
        "contexts": [{"name": "fleet", "context": {"cluster": "fleet", "user": "admin"}}],
        "current-context": "fleet",
    }


# ---- the API server that is played


@dataclass(slots=True)
class _Cluster:
    """Be what the API server knows: every host is a node that is ready."""

    members: tuple[tuple[str, str], ...]
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    maps: dict[str, dict[str, Any]] = field(default_factory=dict)

    def node(self, name: str, address: str) -> dict[str, Any]:
        return {
            "metadata": {"name": name, "labels": self.labels.get(name, {})},
            "spec": {},
            "status": {
                "addresses": [{"type": "InternalIP", "address": address}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as the real one
    cluster: _Cluster

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        if "/nodes" in self.path:
            items = [self.cluster.node(*member) for member in self.cluster.members]
            self._answer(200, {"kind": "NodeList", "items": items})
        elif "/configmaps/" in self.path and name in self.cluster.maps:
            self._answer(200, self.cluster.maps[name])
        else:
            self._answer(404, {"kind": "Status", "message": "not found"})

    def do_PATCH(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        body = self._body()
        self.cluster.labels.setdefault(name, {}).update(body.get("metadata", {}).get("labels", {}))
        self._answer(200, self.cluster.node(name, dict(self.cluster.members)[name]))

    def do_POST(self) -> None:
        body = self._body()
        self.cluster.maps[body["metadata"]["name"]] = body
        self._answer(201, body)

    do_PUT = do_POST  # noqa: N815 - the name is the standard library's

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, document: Any) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Silent(BaseRequestHandler):
    def handle(self) -> None:
        """Answer nothing: that somebody listens is all that is asked of the registry."""


def _serve(directory: Path, authority: Authority, members: tuple[tuple[str, str], ...], stop: threading.Event) -> None:
    """Listen from the moment on that a host says it has become one of a cluster."""
    while not (directory / "up").exists():
        if stop.wait(0.01):
            return
    server = authority.issue(dns=("localhost",), ips=("127.0.0.1", members[0][1]))
    pem = directory / "api.pem"
    pem.write_bytes(server.certificate + server.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    handler = type("Api", (_Api,), {"cluster": _Cluster(members)})
    ThreadingTCPServer.allow_reuse_address = True
    ThreadingTCPServer.daemon_threads = True
    api = ThreadingHTTPServer((members[0][1], _API_PORT), handler)
    api.socket = context.wrap_socket(api.socket, server_side=True)
    registry = ThreadingTCPServer(("127.0.0.1", _REGISTRY_PORT), _Silent)
    with api, registry:
        for served in (api, registry):
            threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stop.wait()
        api.shutdown()
        registry.shutdown()


def files(directory: Path) -> dict[str, bytes]:
    """Give the rootfs of an image for a fleet in this directory."""
    return {path: data.replace(b"@", os.fsencode(directory)) for path, data in FILES.items()}
