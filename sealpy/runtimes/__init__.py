"""one file per Kubernetes flavour: kubeadm.

A Runtime yields the steps that turn hosts into nodes and back. It is told everything it needs by a ClusterPlan; it
knows neither phases nor the Clusterfile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sealpy.sdk import Steps

__all__ = ["ClusterPlan", "JoinTicket", "Ranges", "Runtime"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """Say what the cluster is to be, as far as a runtime is concerned.

    `documents` are the kubeadm documents of the image (its `etc/kubeadm.yml`, rendered), `overrides` those of the user,
    each by kind. `env` holds the environment of each host by address.
    """

    name: str
    rootfs: str
    leader: str
    masters: tuple[str, ...]
    registry_url: str
    env: Mapping[str, Mapping[str, str]]
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    endpoint: str = "apiserver.cluster.local"
    port: int = 6443
    cert_sans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTicket:
    """Hold what lets a host join: secret, short-lived, never written here."""

    token: str = field(repr=False)
    authority: str  # the certificate of the cluster's own authority, as PEM: by it who joins knows the API server
    certificate_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Hold the ranges of addresses that pods and services get, one or one of each family."""

    pods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


class Runtime(Protocol):
    """Install, extend and remove Kubernetes on hosts."""

    def settings(self) -> str:
        """Give what is set for the cluster as a whole, as text, to be kept and compared later."""
        ...

    def compare(self, before: str) -> Any:
        """Compare what was kept with what is wanted now; raises ConfigError for what cannot change."""
        ...

    def compare_renewed(self, before: str) -> Any:
        """Compare likewise, but for what comes with another Kubernetes and is brought in by its upgrade."""
        ...

    @property
    def version(self) -> str:
        """Give the version of Kubernetes that is wanted; "" when nothing says it."""
        ...

    @property
    def keeps_etcd(self) -> bool:
        """Tell whether etcd runs on the control planes, and not elsewhere."""
        ...

    def check_upgrade(self, server: str, *, kubelets: Mapping[str, str]) -> None:
        """Refuse a version that the cluster cannot be brought to from those there; raises ConfigError."""
        ...

    def check_downgrade(self, server: str) -> None:
        """Refuse a version that the cluster cannot go back to; raises ConfigError."""
        ...

    def health(self, host: str) -> Steps:
        """Wait until what keeps the cluster's data is healthy, seen from this control plane."""
        ...

    def upgrade_leader(self, host: str) -> Steps:
        """Bring the first control plane to the wanted Kubernetes; may be repeated."""
        ...

    def upgrade_control_plane(self, host: str) -> Steps:
        """Bring another control plane to it; may be repeated."""
        ...

    def upgrade_worker(self, host: str) -> Steps:
        """Bring a worker to it, but for its kubelet; may be repeated."""
        ...

    def renew_kubelet(self, host: str) -> Steps:
        """Let a node that is drained run by the kubelet of the wanted Kubernetes; may be repeated."""
        ...

    def start_kubelet(self) -> Steps:
        """Start a kubelet that was stopped while its programs were to change."""
        ...

    def serves(self, host: str) -> Steps:
        """Wait until the API server of a control plane is ready and stays so."""
        ...

    def reconfigure_control_plane(self, host: str, change: Any) -> Steps:
        """Let a control plane that runs take changed settings over."""
        ...

    def publish(self, leader: str, change: Any) -> Steps:
        """Let the cluster know changed settings, for its nodes and for those that join later."""
        ...

    def reconfigure_node(self, host: str, change: Any) -> Steps:
        """Let a node that runs take published settings over."""
        ...

    def kept_free(self) -> Mapping[str, str]:
        """Give how much of which disk the kubelet keeps free, by its signal: `imagefs.available`, `15%`."""
        ...

    def ranges(self) -> Ranges:
        """Give the ranges that pods and services will have; raises ConfigError for a text that is none."""
        ...

    def prepare(self, host: str) -> Steps:
        """Put the programs in place and let the kubelet start with the machine."""
        ...

    def init(self, host: str) -> Steps:
        """Make the first control plane; returns the JoinTicket of its birth."""
        ...

    def issue_ticket(self, leader: str) -> Steps:
        """Return a fresh JoinTicket from a living control plane."""
        ...

    def join_control_plane(self, host: str, ticket: JoinTicket) -> Steps:
        """Make this host one more control plane."""
        ...

    def join_worker(self, host: str, ticket: JoinTicket) -> Steps:
        """Make this host a worker."""
        ...

    def forget(self, host: str) -> Steps:
        """Let the control planes that stay forget this one, which may be dead; done already is fine."""
        ...

    def reset(self, host: str) -> Steps:
        """Take Kubernetes off this host, with everything it left in the kernel and on disk."""
        ...
