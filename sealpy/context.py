"""everything a phase may use.

A Context is made once for a run. Most of it is settled before the first host is touched; what the run finds out (facts,
the registry's authority, the ticket for joining) is added by the phases that find it out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealpy.clusterfile import HostEntry
from sealpy.distributors import Stream, Tree
from sealpy.events import Emit
from sealpy.image.cluster_image import ClusterImage
from sealpy.inventory import Facts, Inventory
from sealpy.kube import KubeDoor
from sealpy.registry import Authority, RegistryPlan
from sealpy.runtimes import JoinTicket, Runtime
from sealpy.sdk import Run

__all__ = ["KUBERNETES", "Context", "digest_of"]

KUBERNETES = "kubernetes"  # the mark that names the Kubernetes to which kubeadm upgraded; `node` has the kubelet's

# $1 the directory of marks, $2 the name, $3 the digest: whole or not at all. For root alone, since a short secret can
# be guessed by the digest of what it went into.
_MARK = 'mkdir -p "$1" && chmod 700 "$1" && printf %s "$3" > "$1/.$2" && mv "$1/.$2" "$1/$2"'
# $1 the directory of marks, $2 the name.
_ERASE = 'rm -f "$1/$2"'
# $1 the directory of marks. That of the rootfs stays: by it the host is known as ours until the rootfs goes.
_UNMARK = 'if [ -d "$1" ]; then find "$1" -type f ! -name rootfs -delete; fi'


@dataclass(kw_only=True)
class Context:
    """Hold what is known of the cluster, its image, its hosts and this run.

    `directory` is that of the cluster on every host (`<dataRoot>/<cluster>`), `home` its directory here. `env` holds
    the whole environment of each host by address. `operation` are the hosts that this run adds or removes: plugins fire
    for them alone.
    """

    name: str
    image: ClusterImage
    inventory: Inventory
    env: Mapping[str, Mapping[str, str]]
    directory: str
    home: Path
    document: str  # the Clusterfile as it is saved, without secrets
    registry: RegistryPlan
    runtime: Runtime
    distributor: Stream
    tree: Callable[[str], Tree]
    kube: KubeDoor
    emit: Emit
    aliases: tuple[tuple[str, str], ...] = ()  # lines of /etc/hosts that the user wants: address, names
    launch: tuple[str, ...] | None = None  # commands that replace those of the image
    apps: tuple[str, ...] | None = None  # apps that replace those the image launches
    rehearsal: bool = False
    operation: tuple[str, ...] = ()
    skip: frozenset[str] = frozenset()  # ids of checks that are left out
    before: Mapping[str, HostEntry] = field(default_factory=dict)  # the hosts as the last run saved them, by address
    change: Any = None  # of the runtime's settings since they were saved, as the runtime itself describes it
    facts: dict[str, Facts] = field(default_factory=dict)
    superseded: tuple[str, ...] = ()  # hosts whose registry still has what the image before alone needs
    authority: Authority | None = None
    ticket: JoinTicket | None = None

    @property
    def rootfs(self) -> str:
        """Give the directory of the image's files on every host."""
        return f"{self.directory}/rootfs"

    @property
    def created(self) -> bool:
        """Tell whether an earlier run made this cluster to the end: each of its control planes knows."""
        return any("created" in self.facts[host].marks for host in self.inventory.masters if host in self.facts)

    def is_ours(self, host: str) -> bool:
        """Tell whether an earlier run of this cluster has put anything on this host."""
        return bool(self.facts[host].marks or self.facts[host].present)

    def is_node(self, host: str) -> bool:
        """Tell whether an earlier run made this host a node of this very cluster."""
        facts, leader = self.facts[host], self.facts[self.inventory.leader]
        return "node" in facts.marks and facts.kube_ca != "" and facts.kube_ca == leader.kube_ca

    def is_settled(self, host: str) -> bool:
        """Tell whether an earlier run did all there is to do for a new host, plugins included."""
        entry = self.inventory[host]
        joins = entry.is_master or entry.is_worker  # a host may have other roles alone, and is no node then
        return "settled" in self.facts[host].marks and (self.is_node(host) or not joins)

    @property
    def kubernetes(self) -> str:
        """Give the digest of the kubelet in the image; equal for images that differ in their applications alone."""
        kubelet = self.image.files.get("bin/kubelet")
        return kubelet.sha256 if kubelet else self.image.digest

    def is_current(self, host: str) -> bool:
        """Tell whether an earlier run did all there is to do on a host for this very image, plugins included."""
        return self.facts[host].marked("settled", self.image.digest)

    def is_behind(self, host: str) -> bool:
        """Tell whether a node has another Kubernetes than the image, or was cut while it changed to one.

        Nothing was ever upgraded where there is no mark of that.
        """
        marks = self.facts[host].marks
        found = (marks.get("node"), marks.get(KUBERNETES, self.kubernetes))
        return self.is_node(host) and found != (self.kubernetes, self.kubernetes)

    def leave_out(self, hosts: Collection[str]) -> None:
        """Go on without these hosts: no phase that follows sees them."""
        self.inventory = self.inventory.without(hosts)
        self.operation = tuple(host for host in self.operation if host not in hosts)
        self.facts = {host: facts for host, facts in self.facts.items() if host not in hosts}

    def mark(self, name: str, digest: str, *, title: str = "") -> Run:
        """Give the step that notes on a host that a piece of work is finished, and from which input."""
        return Run(f"note: {title or name} is done", "sh", "-c", _MARK, "sh", f"{self.directory}/marks", name, digest)

    def erase(self, name: str, *, title: str) -> Run:
        """Give the step that takes one mark away."""
        return Run(f"note: {title}", "sh", "-c", _ERASE, "sh", f"{self.directory}/marks", name)

    def unmark(self) -> Run:
        """Give the step that takes all marks back, before what they stand for is undone."""
        return Run("note: nothing is done any more", "sh", "-c", _UNMARK, "sh", f"{self.directory}/marks")


def digest_of(*parts: object) -> str:
    """Give a digest of the input of a piece of work, for its mark."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()
