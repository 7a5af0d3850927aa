"""Which Kubernetes may follow which: what kubeadm can do, and what etcd's data survive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sealpy.errors import ConfigError

__all__ = ["Version", "check_downgrade", "check_upgrade"]

_FORM = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Be a released version of Kubernetes."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str, *, what: str) -> Self:
        """Read one such as `v1.34.4`; raises ConfigError that names `what` it is the version of."""
        found = _FORM.fullmatch(text.strip())
        if not found or found[4]:
            reason = "is no release" if found else "is no version" if text.strip() else "is not known"
            hint = "an upgrade goes from one release to another, such as v1.34.4"
            raise ConfigError(f"version '{text}' of {what} {reason}", hint=hint)
        return cls(int(found[1]), int(found[2]), int(found[3]))

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"

    @property
    def line(self) -> tuple[int, int]:
        """Give the minor version, within which patches go back and forth."""
        return self.major, self.minor


def check_upgrade(server: str, wanted: str, *, kubelets: Mapping[str, str]) -> None:
    """Refuse what kubeadm cannot do, or the version skew policy forbids; raises ConfigError.

    `server` is the version of the API server, `kubelets` those of the nodes by name. One minor version after the other:
    https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/.
    """
    there, goal = Version.parse(server, what="the API server"), Version.parse(wanted, what="the image")
    if goal < there:
        raise ConfigError(
            f"Kubernetes {goal} is older than {there}, which the cluster has: apply does not go back",
            hint=_way_back(there, goal),
        )
    if goal.major != there.major or goal.minor > there.minor + 1:
        between = f"v{there.major}.{there.minor + 1}"
        raise ConfigError(
            f"Kubernetes {there} cannot become {goal} at once: kubeadm takes one minor version after the other",
            hint=f"apply an image with a {between} first",
        )
    _check_kubelets(kubelets, goal)


def check_downgrade(server: str, wanted: str) -> None:
    """Refuse to go back beyond a patch: an older API server may not read what a newer one has stored in etcd."""
    there, goal = Version.parse(server, what="the API server"), Version.parse(wanted, what="the image")
    if goal.line > there.line or (goal.line == there.line and goal > there):
        raise ConfigError(
            f"Kubernetes {goal} is newer than {there}: no way back leads there", hint="sealpy upgrade does"
        )
    if goal.line < there.line:
        raise ConfigError(f"Kubernetes {there} cannot go back to {goal}", hint=_way_back(there, goal))


def _way_back(there: Version, goal: Version) -> str:
    if goal.line == there.line:
        return "sealpy rollback goes back within a minor version"
    return (
        "what a newer minor version has stored in etcd an older one may not read, so nothing but the snapshot of etcd "
        "leads back; make another cluster by the older image, and restore the snapshot there"
    )


def _check_kubelets(kubelets: Mapping[str, str], goal: Version) -> None:
    """Refuse nodes that would be too far behind, and ones that are ahead of where the API server will be."""
    for node, text in kubelets.items():
        found = Version.parse(text, what=f"the kubelet of {node}")
        if found.major != goal.major or found.minor < goal.minor - 1:
            unfinished = f"an upgrade to v{goal.major}.{goal.minor - 1} is unfinished"
            raise ConfigError(
                f"the kubelet of {node} is {found}, and cannot become {goal} at once: {unfinished}",
                hint=f"finish that first, or take {node} out of the cluster",
            )
        if found.line > goal.line:
            raise ConfigError(
                f"the kubelet of {node} is {found}, newer than {goal}: no kubelet may be ahead of the API server",
                hint=f"take {node} out of the cluster, or apply an image that is not older than it",
            )
