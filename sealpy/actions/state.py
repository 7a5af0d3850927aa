"""What a cluster was when it was last saved, who leads it, and which of its hosts the file names no more."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sealpy.actions.session import Session
from sealpy.actions.setup import prepare
from sealpy.clusterfile import Clusterfile, HostEntry, Ssh, load, loads
from sealpy.context import Context
from sealpy.errors import ClusterfileError, ConfigError, KubeError
from sealpy.events import Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.remains import Remains, read_remains
from sealpy.phases.keep_clusterfile import KEPT, REMAINS
from sealpy.phases.save_state import CONFIG_MAP

__all__ = [
    "Saved",
    "addresses",
    "follow_the_leader",
    "forget_strays",
    "leader_of",
    "leaving",
    "led_by",
    "recall",
    "remains_there",
    "still_there",
    "with_hosts",
    "without_hosts",
]

_PATIENCE = 30.0  # seconds that an API server may take to answer, after a reboot of the leader say


def follow_the_leader(run: Session, clusterfile: Clusterfile, image: ClusterImage) -> None:
    """See the cluster from its leader, wherever that stands in the file."""
    leader = leader_of(run.ctx)
    if leader != run.ctx.inventory.leader:
        ctx = run.prepared(prepare(led_by(clusterfile, leader), image, run.surroundings))
        ctx.document = run.ctx.document
        run.ctx = ctx


def leader_of(ctx: Context) -> str:
    """Give the control plane that leads: the one that the last run used, which holds the registry's authority.

    When it has left, any that is there; before there is a cluster, the first of the file.
    """
    masters = ctx.inventory.masters
    made = [host for host in masters if "created" in ctx.facts[host].marks]
    leading = [host for host in made or masters if ctx.facts[host].registry_ca]
    return (leading or made or masters)[0]


def led_by(clusterfile: Clusterfile, leader: str) -> Clusterfile:
    """Give the Clusterfile with the leader as its first host."""
    first = [dataclasses.replace(entry, ips=(leader,)) for entry in clusterfile.cluster.hosts if leader in entry.ips]
    return with_hosts(clusterfile, (*first, *without_hosts(clusterfile, [leader]).cluster.hosts))


def with_hosts(clusterfile: Clusterfile, hosts: Iterable[HostEntry]) -> Clusterfile:
    """Give the Clusterfile with other hosts."""
    return dataclasses.replace(clusterfile, cluster=dataclasses.replace(clusterfile.cluster, hosts=tuple(hosts)))


def without_hosts(clusterfile: Clusterfile, gone: Iterable[str]) -> Clusterfile:
    """Give the Clusterfile without these addresses."""
    out = set(gone)
    entries = (
        dataclasses.replace(entry, ips=tuple(ip for ip in entry.ips if ip not in out))
        for entry in clusterfile.cluster.hosts
    )
    return with_hosts(clusterfile, (entry for entry in entries if entry.ips))


def addresses(clusterfile: Clusterfile) -> tuple[str, ...]:
    """Give the addresses of all hosts of a Clusterfile."""
    return tuple(ip for entry in clusterfile.cluster.hosts for ip in entry.ips)


@dataclass(frozen=True, slots=True)
class Saved:
    """Hold what a cluster keeps of itself: its Clusterfile, and settings of Kubernetes as its runtime wrote them.

    `kubernetes` is the digest of the one that had those settings.
    """

    clusterfile: Clusterfile
    settings: str = ""
    kubernetes: str = ""


def recall(run: Session) -> Saved | None:
    """Read what the cluster keeps of itself; None where there is no cluster yet, or nothing that can be read.

    Raises KubeError when the API server does not answer within half a minute.
    """
    ctx = run.ctx
    if not ctx.created:
        return None
    saved = _ask(run)
    if saved is None:  # a cut between the last mark and the ConfigMap, or somebody removed it
        return Saved(load(ctx.home / KEPT)) if (ctx.home / KEPT).is_file() else None
    try:
        found = loads(saved.get("Clusterfile", ""), name=f"ConfigMap {'/'.join(CONFIG_MAP)}")
    except ClusterfileError as error:
        message = f"what the cluster keeps of itself cannot be read: {error.message}"
        ctx.emit(Warned(message=message, hint="hosts that leave are only seen from the next apply on"))
        return None
    return Saved(found, saved.get("settings", ""), saved.get("kubernetes", ""))


def _ask(run: Session) -> dict[str, str] | None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return run.ctx.kube.open().config_map(*CONFIG_MAP)
        except KubeError:
            if time.monotonic() > deadline:
                raise
            run.executor.pause(1)


def forget_strays(ctx: Context) -> None:
    """Take a host that has marks of this cluster but no node in it for a new one: it left while it was off."""
    nodes = {node.address for node in ctx.kube.open().nodes()}
    for host in (*ctx.inventory.masters, *ctx.inventory.workers):
        if host != ctx.inventory.leader and ctx.is_node(host) and host not in nodes:
            facts = ctx.facts[host]
            marks = {name: digest for name, digest in facts.marks.items() if name not in {"node", "settled", "created"}}
            ctx.facts[host] = dataclasses.replace(facts, marks=marks)


def leaving(before: Clusterfile, wanted: Clusterfile) -> tuple[HostEntry, ...]:
    """Give the hosts that were saved and that the file names no more, one entry for each, with a way to log in.

    What is saved holds no passwords: a host logs in as those that stood in one entry with it and still do, or else with
    the passwords that the file gives for the whole cluster. Raises ConfigError when no control plane would stay.
    """
    stay = set(addresses(wanted))
    gone = [
        dataclasses.replace(entry, ips=(ip,), ssh=_login(entry, before, wanted))
        for entry in before.cluster.hosts
        for ip in entry.ips
        if ip not in stay
    ]
    old = {ip for entry in before.cluster.hosts if entry.is_master for ip in entry.ips}
    new = {ip for entry in wanted.cluster.hosts if entry.is_master for ip in entry.ips}
    if old and not old & new:
        raise ConfigError(
            f"no control plane of cluster '{before.cluster.name}' would stay: {', '.join(sorted(old))}",
            place=wanted.cluster.place,
            hint="keep one until the new ones have joined; sealpy delete --all removes a whole cluster",
        )
    for ip in sorted(old & stay - new):
        raise ConfigError(
            f"{ip} is a control plane, and cannot become a worker as it is",
            place=wanted.cluster.place,
            hint="take it out of the file, apply, write it as a worker, and apply again",
        )
    for ip in sorted((set(addresses(before)) - old) & new):
        raise ConfigError(
            f"{ip} is a worker, and cannot become a control plane as it is",
            place=wanted.cluster.place,
            hint="take it out of the file, apply, write it as a master, and apply again",
        )
    return tuple(gone)


def remains_there(run: Session, hosts: Iterable[str]) -> Remains | None:
    """Read what the first of these control planes keeps that has anything of the cluster's image; changes nothing."""
    for host in hosts:
        with run.executor.connections.use(host) as connector:
            found = connector.run(["cat", "--", f"{run.ctx.directory}/{REMAINS}"])
        if found.ok:
            return read_remains(found.text)
    return None


def still_there(before: Clusterfile, known: Clusterfile) -> Clusterfile:
    """Give a cluster as it was saved, with the logins that are known: what is saved holds no passwords."""
    entries = [
        dataclasses.replace(entry, ips=(ip,), ssh=_login(entry, before, known))
        for entry in before.cluster.hosts
        for ip in entry.ips
    ]
    ssh = known.cluster.ssh
    return with_hosts(dataclasses.replace(before, cluster=dataclasses.replace(before.cluster, ssh=ssh)), entries)


def _login(entry: HostEntry, before: Clusterfile, wanted: Clusterfile) -> Ssh:
    for other in wanted.cluster.hosts:
        if set(other.ips) & set(entry.ips):
            return other.ssh
    if entry.ssh == before.cluster.ssh:
        return wanted.cluster.ssh
    return _filled(entry.ssh, wanted.cluster.ssh)


def _filled(ssh: Ssh, cluster: Ssh) -> Ssh:
    """Add the passwords of the cluster where none is known."""
    known = {"password", "private_key_password", "sudo_password"}
    missing = {name for name in known if not (getattr(ssh, name) or getattr(ssh, f"{name}_from"))}
    return dataclasses.replace(ssh, **{name: getattr(cluster, name) for name in missing})
