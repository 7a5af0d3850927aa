"""A fleet of machines that behave: they keep what is done to them, become nodes, and can be cut off at any change.

`apply` and `delete` run against it whole, so that a test can end a run behind its every change and see what the next
one makes of it. What a machine does is known by the scripts that sealpy sends; another one is only noted.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import json
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from builtin_plugins import etcd
from sealpy.context import _ERASE, _MARK, _UNMARK
from sealpy.distributors import beside, stream
from sealpy.engine import perform
from sealpy.errors import ConnectError, KubeError
from sealpy.inventory.look import SCRIPT
from sealpy.kube import Node, NodeTaint, Pod
from sealpy.phases import (
    audit,
    carry_application,
    check_ways,
    connect,
    remove_rootfs,
    uninstall_container_engine,
    write_hosts,
)
from sealpy.registry import private
from sealpy.runtimes import kubeadm, kubeadm_etcd, kubeadm_upgrade
from sealpy.runtimes.versions import Version
from sealpy.sdk import Result

__all__ = ["Door", "Fleet", "Killed", "Machine"]

_SERVERS = {"sea.hub": 5000}
SNAPSHOT = b"etcd" + hashlib.sha256(b"etcd").digest()  # as etcd ends its own


class Killed(BaseException):
    """End a run as `kill -9` does: no step that follows reaches a machine any more."""


@dataclass(slots=True)
class Application:
    """Be what a machine keeps of one application."""

    marks: dict[str, str] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    taken: int = 0  # files that the registry had already

    @property
    def lines(self) -> list[str]:
        """Give them as the script of facts prints them."""
        present = [f"present={what}" for what in sorted(self.present)]
        return [*present, *(f"mark={name} {digest}" for name, digest in self.marks.items())]

    def copy(self) -> Application:
        """Give another one in the same state."""
        return Application(dict(self.marks), set(self.present), self.taken)


@dataclass(slots=True)
class Machine:
    """Be the Connector of one machine, and the machine itself."""

    address: str
    fleet: Fleet
    off: bool = False
    round_trips: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    registry: dict[str, str] = field(default_factory=dict)  # sha256 of files that the registry holds, by path
    free_kib: int = 100 << 20
    own_hosts: str = hashlib.sha256(b"").hexdigest()
    applications: dict[str, Application] = field(default_factory=dict)  # by directory
    kube: str = ""  # what it is: "", control-plane, worker
    kube_ca: str = ""
    rootfs: str = ""  # versions of Kubernetes: of what was sent,
    installed: str = ""  # of the programs in place,
    prepared: str = ""  # of what kubeadm has left for the kubelet to read, and of the parts of a control plane
    kubelet: str = ""  # and of the kubelet that runs, or ran last

    @property
    def name(self) -> str:
        """Give its host name."""
        return f"n{self.address.rpartition('.')[2]}"

    @property
    def state(self) -> Mapping[str, object]:
        """Give what must be equal after any way to the same end."""
        return {
            "files": sorted(path for path in self.files if "kubeadm.yaml" not in path),
            "marks": sorted(self.marks),
            "applications": {name: sorted(one.marks) for name, one in sorted(self.applications.items())},
            "present": sorted(self.present),
            "active": sorted(self.active),
            "hosts": self.own_hosts,
            "kube": self.kube,
            "versions": (self.rootfs, self.installed, self.prepared, self.kubelet),
        }

    def connect(self) -> None:
        """Answer, unless it is off."""
        self.fleet.alive()
        if self.off:
            raise ConnectError(self.address, "no route to host", hint="is it up?")

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Iterable[tuple[str, str]] = (),
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Result:
        """Do what the command says."""
        del env, timeout, on_line
        self.connect()
        self.round_trips += 1
        with self.fleet.lock:
            return self._perform(tuple(argv), stdin)

    def stream(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        timeout: float = 3600.0,
        on_sent: Callable[[int], None] | None = None,
    ) -> Result:
        """Take all chunks."""
        del timeout
        data = b"".join(chunks)
        if on_sent is not None:
            on_sent(len(data))
        return self.run(argv, stdin=data)

    @contextmanager
    def forward(self, host: str, port: int) -> Generator[tuple[str, int]]:
        """Give the address itself."""
        yield host, port

    def close(self) -> None:
        """Do nothing: the machine stays."""

    # ---- what it does

    def _perform(self, argv: tuple[str, ...], stdin: bytes) -> Result:
        script = argv[2] if argv[:2] == ("sh", "-c") else ""
        if script in _ASKED_OF:
            return _ASKED_OF[script](self, argv[4:], stdin)
        if (answer := self._answer(argv, script)) is not None:
            return answer
        if script == perform._PUT and self.files.get(argv[4]) == stdin:
            return _said("same")
        done = _DONE[script](self, argv[4:], stdin) if script in _DONE else self._other(argv, stdin)
        self.fleet.changed(self.address, done)
        return _said("written" if script == perform._PUT else "")

    def _answer(self, argv: tuple[str, ...], script: str) -> Result | None:
        """Give what a command that changes nothing says; None for one that does."""
        if script in _ASKED:
            return _ASKED[script](self)
        match argv:
            case ("id", "-u") | ("dd", *_):
                return Result(stdout=SNAPSHOT if argv[0] == "dd" else b"0")
            case ("cat", *_, path):
                content = self.files.get(path)
                return Result(exit_status=1) if content is None else Result(stdout=content)
            case ("kubectl", *_) if "get" in argv:
                etcd = f"etcd-{self.name}\t{self.address}\t/var/lib/etcd\t/etc/kubernetes/pki/etcd"
                return _said(etcd if "component=etcd" in argv else ".:53 {\n}")
            case ("bash", "-c", text, *_) if "/dev/tcp/" in text:
                return Result(exit_status=0 if "sealpy-registry" in self.active else 1)
            case _:
                return None

    def _other(self, argv: tuple[str, ...], stdin: bytes) -> str:
        match argv:
            case ("bash", script):
                self.active.add("containerd")
                return script.rpartition("/")[2]
            case ("bash", "-c", script, *_) if "init-registry.sh" in script:
                self.active.add("sealpy-registry")
                return "start registry"
            case ("bash", "-c", script, "bash", _, command) if script.startswith("cd"):
                return f"launch {command}"
            case ("bash", "-c", *_) if stdin:
                return f"plugin {stdin.decode().strip()}"
            case ("kubeadm", *words):
                self._kubeadm(words)
                return "kubeadm " + " ".join(itertools.takewhile(lambda word: word[0] != "-", words))
            case _:
                return self._stop(argv) or ("take a snapshot" if "snapshot" in argv else " ".join(argv[:4]))

    def _stop(self, argv: tuple[str, ...]) -> str:
        """Stop the kubelet, when this asks for it."""
        if argv != ("systemctl", "stop", "kubelet"):
            return ""
        self.active.discard("kubelet")
        self.fleet.report(self)
        return "stop kubelet"

    # ---- the scripts that sealpy sends, by what they leave behind

    def mark(self, words: Sequence[str], _stdin: bytes) -> str:
        directory, name, digest = words
        self._kept(directory).marks[name] = digest
        return f"mark {name}"

    def erase(self, words: Sequence[str], _stdin: bytes) -> str:
        self.marks.pop(words[1], None)
        return f"erase {words[1]}"

    def prepare(self, _words: Sequence[str], _stdin: bytes) -> str:
        self.installed = self.rootfs
        return "prepare"

    def upgrade(self, words: Sequence[str], _stdin: bytes) -> str:
        """Do what kubeadm does, and refuse what it refuses."""
        _, version, *rest = words
        assert self.rootfs == version, "kubeadm comes out of the rootfs of the other image"
        if rest[0] == "apply":
            assert rest[1] == version
            assert not [node.name for node in self.fleet.nodes() if node.reason], "every node is ready"
            self.fleet.agreed = version
        assert self.fleet.agreed == version, "kubeadm upgrade apply comes before kubeadm upgrade node"
        others = [self.fleet.machine(address) for address in self.fleet.members]
        assert self.kube == "control-plane" or all(machine.prepared == version for machine in others)
        self.prepared = version
        return f"kubeadm upgrade {rest[0]}"

    def start(self, _words: Sequence[str], _stdin: bytes) -> str:
        """Start the kubelet, where it finds what it can read, and nobody is in its way."""
        ahead = self.installed.rpartition(".")[0] > self.prepared.rpartition(".")[0]  # patches run with each other
        assert not ahead, "kubeadm upgrade comes before the kubelet"
        node = self.fleet.nodes_by_name[self.name]
        assert node.unschedulable
        left = [pod for pod in self.fleet.pods.get(self.name, ()) if not pod.alone]
        assert not left or self.fleet.forced, "the node is drained"
        self.kubelet = self.installed
        self.active.add("kubelet")
        self.fleet.report(self)
        return "start kubelet"

    def unmark(self, _words: Sequence[str], _stdin: bytes) -> str:
        self.marks = {name: digest for name, digest in self.marks.items() if name == "rootfs"}
        return "unmark"

    def put(self, words: Sequence[str], stdin: bytes) -> str:
        self.files[words[0]] = stdin
        return f"put {words[0]}"

    def receive(self, words: Sequence[str], stdin: bytes) -> str:
        kept = self._kept(words[0])
        kept.present.add("rootfs")
        kept.marks["rootfs"] = words[1]
        with tarfile.open(fileobj=io.BytesIO(stdin)) as sent:
            found = {member.name: sent.extractfile(member) for member in sent if member.isfile()}
            files = {name: file.read() for name, file in found.items() if file}
        self.fleet.received[self.address] = files
        if kept is self:
            self.rootfs = files.get("files/bin/kubelet", self.rootfs.encode()).decode()
        return "receive"

    def take(self, words: Sequence[str], stdin: bytes) -> str:
        application = self._kept(words[1])
        assert isinstance(application, Application)
        application.present.add("incoming")
        application.taken = stdin.count(b"\0")
        return f"take {application.taken} files"

    def held(self, _words: Sequence[str], stdin: bytes) -> Result:
        found = {path: self.registry.get(path) for path in stdin.decode().split("\0")}
        lines = [f"rootfs M 644 {path}\nrootfs {sha256} *{path}" for path, sha256 in found.items() if sha256]
        return _said("\n".join(lines))

    def in_etcd(self, words: Sequence[str], said: str) -> Result:
        """Say it in the pod of etcd on a host, where nobody comes without the kubelet there."""
        return _said(said) if "kubelet" in self.fleet.machine(words[0]).active else Result(exit_status=1)

    def serve(self, words: Sequence[str], _stdin: bytes) -> str:
        return f"link images of {words[0].split('/')[-2]}"

    def _kept(self, directory: str) -> Machine | Application:
        """Give what is kept in a directory of the cluster, or below it of an application."""
        above, found, below = directory.partition("/applications/")
        if not found:
            return self
        name = below.partition("/")[0]
        return self.applications.setdefault(f"{above}{found}{name}", Application())

    def write_hosts(self, words: Sequence[str], _stdin: bytes) -> str:
        text = f"{words[1]}\n" if words[1] else ""
        self.own_hosts = _sha256(text.encode())
        return "write hosts"

    def forget_member(self, words: Sequence[str], _stdin: bytes) -> str:
        self.fleet.members.remove(words[1])
        return f"etcd forgets {words[1]}"

    def reset(self, _words: Sequence[str], _stdin: bytes) -> str:
        self._leave()
        return "reset"

    def stop_registry(self, _words: Sequence[str], _stdin: bytes) -> str:
        self.active.discard("sealpy-registry")
        return "stop registry"

    def distrust(self, _words: Sequence[str], _stdin: bytes) -> str:
        self.files = {path: data for path, data in self.files.items() if "certs.d" not in path}
        return "distrust"

    def uninstall(self, _words: Sequence[str], _stdin: bytes) -> str:
        self.active.discard("containerd")
        return "uninstall engine"

    def remove(self, _words: Sequence[str], _stdin: bytes) -> str:
        self.marks, self.files, self.present, self.applications = {}, {}, set(), {}
        self.rootfs = ""
        return "remove files"

    def _kubeadm(self, words: Sequence[str]) -> None:
        match words:
            case ("init", "phase", *_):
                pass
            case ("init", *_):
                self.fleet.begin(self)
            case ("join", *_):
                control_plane = b"controlPlane" in self.files["/etc/kubernetes/kubeadm.yaml"]
                self.fleet.join(self, "control-plane" if control_plane else "worker")
            case _:
                self._leave()

    def _leave(self) -> None:
        self.kube = self.kube_ca = self.installed = self.prepared = self.kubelet = ""
        self.active.discard("kubelet")
        self.files = {path: data for path, data in self.files.items() if not path.startswith("/etc/kubernetes/")}

    def facts_in(self, words: Sequence[str], _stdin: bytes) -> Result:
        text = self._facts()
        if "/applications/" in words[0]:
            kept = self.applications.get(words[0], Application())
            lines = [line for line in text.splitlines() if not line.startswith(("present=", "mark="))]
            text = "\n".join([*lines, *kept.lines])
        return _said(text)

    def _facts(self) -> str:
        lines = [
            "uid=0",
            f"name={self.name}",
            "arch=x86_64",
            "init=systemd",
            f"time={time.time()}",
            "cpus=4",
            f"memory_kib={8 << 20}",
            f"machine_id=id of {self.name}",
            f"mac=mac of {self.name}",
            "default_route=10.0.0.254 eth0",
            "nameserver=10.0.0.53",
            f"free_kib={self.free_kib} /var/lib",
            f"nodefs={self.free_kib} {200 << 20}",
            f"imagefs={self.free_kib} {200 << 20}",
            "feature=overlay",
            "feature=bridge",
            f"own_hosts={self.own_hosts}",
            f"kube_ca={self.kube_ca}",
            *(f"active={unit}" for unit in sorted(self.active)),
            *(f"present={what}" for what in sorted(self.present)),
            *(f"mark={name} {digest}" for name, digest in self.marks.items()),
            *(f"digest={_sha256(data)} {path}" for path, data in self.files.items() if "certs.d" in path),
            *(f"registry_ca={_sha256(data)}" for path, data in self.files.items() if path.endswith("registry/ca.crt")),
        ]
        if "sealpy-registry" in self.active:
            lines.append(f"port={_SERVERS['sea.hub']:X}")
        if self.kube:
            lines += ["file=/etc/kubernetes/kubelet.conf", "port=280A"]
        return "\n".join(lines)


@dataclass(slots=True)
class Fleet:
    """Hold machines and, once there is one, the cluster on them; `log` names every change in its order.

    `cut` ends the run behind that many changes, counted from 1; 0 lets it run.
    """

    machines: dict[str, Machine] = field(default_factory=dict)
    nodes_by_name: dict[str, Node] = field(default_factory=dict)
    pods: dict[str, list[Pod]] = field(default_factory=dict)  # by node
    refused: dict[Pod, str] = field(default_factory=dict)  # what a disruption budget says of a pod
    config_maps: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    clusters: int = 0
    agreed: str = ""  # the version that kubeadm keeps in the cluster
    broken: set[str] = field(default_factory=set)  # machines whose kubelet does not become ready
    forced: bool = False  # nodes may be upgraded with pods on them
    received: dict[str, dict[str, bytes]] = field(default_factory=dict)  # by machine, the files of the last stream
    log: list[tuple[str, str]] = field(default_factory=list)
    cut: int = 0
    cut_at: str = ""  # ends the run behind the first change of this name
    lock: threading.RLock = field(default_factory=threading.RLock)
    _dead: bool = False

    def machine(self, address: str) -> Machine:
        """Give a machine; it is there from the first time that somebody asks for it."""
        return self.machines.setdefault(address, Machine(address, self))

    @property
    def state(self) -> Mapping[str, object]:
        """Give what must be equal after any way to the same end."""
        return {
            **{address: machine.state for address, machine in sorted(self.machines.items())},
            "nodes": {
                name: (node.labels, node.taints, node.unschedulable, node.version)
                for name, node in sorted(self.nodes_by_name.items())
            },
            "agreed": self.agreed,
            "members": sorted(self.members),
            "config": self.config_maps,
        }

    def copy(self) -> Fleet:
        """Give a fleet in the same state, of which nothing has been asked yet."""
        other = Fleet(
            nodes_by_name=dict(self.nodes_by_name),
            pods={node: list(pods) for node, pods in self.pods.items()},
            refused=dict(self.refused),
            config_maps={name: dict(data) for name, data in self.config_maps.items()},
            members=list(self.members),
            clusters=self.clusters,
            agreed=self.agreed,
        )
        for address, machine in self.machines.items():
            other.machines[address] = dataclasses.replace(
                machine,
                fleet=other,
                files=dict(machine.files),
                marks=dict(machine.marks),
                present=set(machine.present),
                applications={name: one.copy() for name, one in machine.applications.items()},
                active=set(machine.active),
            )
        return other

    def restart(self, *, cut: int = 0) -> None:
        """Begin the next run: the one before has ended, or was cut off."""
        self.cut, self.cut_at, self._dead, self.log = cut, "", False, []
        for machine in self.machines.values():
            machine.round_trips = 0

    def alive(self) -> None:
        """Raise Killed once the run was cut."""
        if self._dead:
            raise Killed

    def changed(self, where: str, what: str) -> None:
        """Note a change, and end the run when it is the one behind which it is to be cut."""
        self.alive()
        self.log.append((where, what))
        if len(self.log) == self.cut or what == self.cut_at:
            self._dead = True
            raise Killed

    def counted(self) -> Counter[tuple[str, str]]:
        """Count the changes of this run."""
        return Counter(self.log)

    # ---- the cluster

    def begin(self, machine: Machine) -> None:
        """Make a new cluster with its first control plane."""
        self.clusters += 1
        self.nodes_by_name, self.members, self.config_maps = {}, [], {}
        self.agreed = machine.installed
        self._become(machine, "control-plane", f"ca{self.clusters}")

    def join(self, machine: Machine, kind: str) -> None:
        """Let a machine join the cluster that is there."""
        self._become(machine, kind, f"ca{self.clusters}")

    def _become(self, machine: Machine, kind: str, authority: str) -> None:
        machine.kube, machine.kube_ca = kind, authority
        machine.active.add("kubelet")
        machine.prepared = machine.kubelet = machine.installed
        self.nodes_by_name[machine.name] = Node(
            name=machine.name, address=machine.address, labels={}, taints=(), reason="", version=machine.kubelet
        )
        if kind == "control-plane":
            machine.files["/etc/kubernetes/admin.conf"] = b"{}"
            machine.files["/etc/kubernetes/pki/ca.crt"] = _certificate()
            if machine.address not in self.members:
                self.members.append(machine.address)

    def report(self, machine: Machine) -> None:
        """Let a node say how its kubelet is."""
        up = "kubelet" in machine.active and machine.name not in self.broken
        self.nodes_by_name[machine.name] = dataclasses.replace(
            self.nodes_by_name[machine.name],
            reason="" if up else "Kubelet stopped posting node status.",
            version=machine.kubelet,
        )

    # ---- its API

    def version(self) -> str:
        """Give the version of the API server, the newest where there are several."""
        self.alive()
        found = [machine.prepared for machine in self.machines.values() if machine.kube == "control-plane"]
        return max(found, key=lambda text: Version.parse(text, what="the API server"))

    def nodes(self) -> tuple[Node, ...]:
        """List the nodes."""
        self.alive()
        return tuple(node for _, node in sorted(self.nodes_by_name.items()))

    def patch_node(
        self, name: str, *, labels: Mapping[str, str | None] | None = None, taints: Sequence[NodeTaint] | None = None
    ) -> None:
        """Set labels and taints."""
        node = self.nodes_by_name[name]
        merged = {**node.labels, **(labels or {})}
        kept = {key: value for key, value in merged.items() if value is not None}
        self.nodes_by_name[name] = dataclasses.replace(
            node, labels=kept, taints=node.taints if taints is None else tuple(taints)
        )
        self.changed(node.address, f"patch {name}")

    def cordon(self, name: str) -> None:
        """Note that nothing is scheduled there any more."""
        self.nodes_by_name[name] = dataclasses.replace(self.nodes_by_name[name], unschedulable=True)
        self.changed(self.nodes_by_name[name].address, f"cordon {name}")

    def uncordon(self, name: str) -> None:
        """Let pods come again."""
        self.nodes_by_name[name] = dataclasses.replace(self.nodes_by_name[name], unschedulable=False)
        self.changed(self.nodes_by_name[name].address, f"uncordon {name}")

    def delete_node(self, name: str) -> None:
        """Take a node out."""
        node = self.nodes_by_name.pop(name)
        self.changed(node.address, f"delete node {name}")

    def pods_to_move(self, node: str) -> tuple[Pod, ...]:
        """List the pods of a node."""
        self.alive()
        return tuple(self.pods.get(node, ()))

    def waits_on(self, node: str) -> str:
        """Say that no pod waits."""
        del node
        return ""

    def evict(self, pod: Pod) -> str:
        """Take a pod away, unless a budget refuses."""
        if pod in self.refused:
            return self.refused[pod]
        for node, pods in self.pods.items():
            if pod in pods:
                pods.remove(pod)
                self.changed(node, f"evict {pod}")
        return ""

    def config_map(self, namespace: str, name: str) -> dict[str, str] | None:
        """Read a ConfigMap."""
        self.alive()
        return self.config_maps.get((namespace, name))

    def write_config_map(self, namespace: str, name: str, data: Mapping[str, str]) -> None:
        """Write a ConfigMap."""
        self.config_maps[namespace, name] = dict(data)
        self.changed("cluster", f"write {name}")

    def unready_deployment(self, namespace: str, name: str) -> str:
        """Say that it is ready."""
        del namespace, name
        return ""

    unready_daemon_set = unready_deployment


@dataclass(slots=True)
class Door:
    """Be the KubeDoor to the cluster of a fleet."""

    fleet: Fleet
    leader: str

    def warm(self) -> None:
        """Do nothing: there is no client to load."""

    def kubeconfig(self) -> Mapping[str, Any]:
        """Give an admin.conf."""
        self._refuse_without_api()
        return {
            "clusters": [{"name": "k", "cluster": {"server": "https://apiserver.cluster.local:6443"}}],
            "users": [{"name": "k", "user": {}}],
        }

    def open(self) -> Fleet:
        """Give the API of the cluster, when the leader has one."""
        self._refuse_without_api()
        return self.fleet

    def renew(self) -> None:
        """Do nothing: nothing is kept."""

    def close(self) -> None:
        """Do nothing."""

    def _refuse_without_api(self) -> None:
        self.fleet.alive()
        machine = self.fleet.machine(self.leader)
        if machine.off or machine.kube != "control-plane":
            raise KubeError(f"{self.leader}: no API server answers")


def _said(text: str) -> Result:
    return Result(stdout=text.encode())


_ASKED: Mapping[str, Callable[[Machine], Result]] = {
    connect._LOG_IN: lambda _: _said("0"),
    check_ways._OPEN: lambda _: _said(""),
    check_ways._CONNECT: lambda _: _said(""),
    stream._PRESENT: lambda _: _said(""),
    audit._AUDIT: lambda _: _said(""),
    beside._THERE: lambda _: _said(""),
    etcd._LOOK: lambda _: _said(f"{_sha256(SNAPSHOT)}\n{len(SNAPSHOT)}\n" + json.dumps({"revision": 7, "totalKey": 9})),
    kubeadm_upgrade._SERVES: lambda machine: Result(exit_status=0 if machine.kube == "control-plane" else 1),
    perform._SAME: lambda _: Result(exit_status=1),
}
_ASKED_OF: Mapping[str, Callable[[Machine, Sequence[str], bytes], Result]] = {
    SCRIPT: Machine.facts_in,
    stream._HELD: Machine.held,
    kubeadm_etcd._HEALTH: lambda machine, words, _: machine.in_etcd(words, "healthy"),
    kubeadm_etcd._MEMBERS: lambda machine, words, _: machine.in_etcd(
        words, "\n".join(f"{ip}, started, x, https://{ip}:2380, y" for ip in machine.fleet.members)
    ),
}
_DONE: Mapping[str, Callable[[Machine, Sequence[str], bytes], str]] = {
    _MARK: Machine.mark,
    _UNMARK: Machine.unmark,
    _ERASE: Machine.erase,
    kubeadm._PREPARE: Machine.prepare,
    kubeadm_upgrade._UPGRADE: Machine.upgrade,
    kubeadm_upgrade._RENEW: lambda *_: "renew kubeconfig",
    kubeadm_upgrade._START: Machine.start,
    perform._PUT: Machine.put,
    stream._RECEIVE: Machine.receive,
    stream._TAKE: Machine.take,
    carry_application._SERVE: Machine.serve,
    write_hosts._WRITE: Machine.write_hosts,
    kubeadm_etcd._FORGET: Machine.forget_member,
    kubeadm._RESET: Machine.reset,
    private._STOP: Machine.stop_registry,
    private._DISTRUST: Machine.distrust,
    uninstall_container_engine._UNINSTALL: Machine.uninstall,
    remove_rootfs._REMOVE: Machine.remove,
}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _certificate() -> bytes:
    from sealpy.registry import Authority  # noqa: PLC0415 - one certificate for a whole test run

    if not _CERTIFICATES:
        _CERTIFICATES.append(Authority.create("kubernetes").certificate)
    return _CERTIFICATES[0]


_CERTIFICATES: list[bytes] = []
