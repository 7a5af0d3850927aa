"""Which settings of a living cluster have changed, and what has to be done for them; what cannot be is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sealpy.errors import ConfigError, Problem, counted

__all__ = ["RENEWED", "Change", "compare"]

Settings = Mapping[str, Mapping[str, Any]]

# What a change below a path asks for: parts of a control plane, `kubelet`, `proxy`; the longest path counts.
_ALLOWED = {
    "ClusterConfiguration.apiServer": "apiserver",
    "ClusterConfiguration.apiServer.certSANs": "certificates",
    "ClusterConfiguration.controllerManager": "controller-manager",
    "ClusterConfiguration.scheduler": "scheduler",
    "ClusterConfiguration.etcd.local.extraArgs": "etcd",
    "ClusterConfiguration.etcd.local.extraEnvs": "etcd",
    "KubeletConfiguration": "kubelet",
    "KubeProxyConfiguration": "proxy",
}
_REFUSED = {
    "ClusterConfiguration": "kubeadm cannot change it in a living cluster",
    "ClusterConfiguration.networking": "pods and services keep the addresses that they have",
    "ClusterConfiguration.kubernetesVersion": "an image with that Kubernetes brings it",
    "ClusterConfiguration.clusterName": "certificates and kubeconfigs hold it",
    "ClusterConfiguration.controlPlaneEndpoint": "certificates and kubeconfigs of every node hold it",
    "ClusterConfiguration.imageRepository": "the container images of what runs were pulled from there",
    "ClusterConfiguration.dns": "it changes with another Kubernetes alone",
    "ClusterConfiguration.etcd": "the data lies where it lies",
    "ClusterConfiguration.etcd.local.imageTag": "it changes with another Kubernetes alone",
    "KubeletConfiguration.cgroupDriver": "pods that run are in the control groups of the other driver",
    "KubeProxyConfiguration.clusterCIDR": "pods keep the addresses that they have",
}
# What an upgrade brings in itself.
RENEWED = (
    "ClusterConfiguration.kubernetesVersion",
    "ClusterConfiguration.dns",
    "ClusterConfiguration.etcd.local.imageRepository",
    "ClusterConfiguration.etcd.local.imageTag",
)
_PASSED_OVER = ("apiVersion", "kind")
_CONTROL_PLANE = ("certificates", "etcd", "apiserver", "controller-manager", "scheduler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Say what changed settings, by their `paths`, ask for: parts of control planes, the kubelets, kube-proxy."""

    paths: tuple[str, ...] = ()
    control_plane: tuple[str, ...] = ()
    kubelet: bool = False
    proxy: bool = False


def compare(before: Settings, wanted: Settings, *, but: Collection[str] = ()) -> Change:
    """Compare settings, kind by kind; raises one ConfigError with everything that cannot change, and why.

    Paths in `but`, and what lies below them, are passed over.
    """
    found = [path for kind in wanted for path in _differences(before.get(kind, {}), wanted[kind], kind)]
    paths = [path for path in found if not _longest(path, but)]
    asked, problems = set(), []
    for path in paths:
        refused, allowed = _longest(path, _REFUSED), _longest(path, _ALLOWED)
        if len(refused) >= len(allowed):
            problems.append(Problem(f"{path}: {_REFUSED[refused]}", hint="put it back, or make another cluster"))
        else:
            asked.add(_ALLOWED[allowed])
    if problems:
        count = counted(len(problems), "setting")
        raise ConfigError(f"{count} of a living cluster cannot be changed", problems=problems)
    return Change(
        paths=tuple(paths),
        control_plane=tuple(part for part in _CONTROL_PLANE if part in asked),
        kubelet="kubelet" in asked,
        proxy="proxy" in asked,
    )


def _differences(before: Any, wanted: Any, path: str) -> Iterator[str]:
    """Give the path of every value that differs; lists are compared whole, a mapping that is not there is empty."""
    if isinstance(wanted, Mapping) and before is None:
        before = {}
    if isinstance(before, Mapping) and wanted is None:
        wanted = {}
    if isinstance(before, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*before, *wanted} - set(_PASSED_OVER)):
            yield from _differences(before.get(key), wanted.get(key), f"{path}.{key}")
    elif before != wanted:
        yield path


def _longest(path: str, known: Collection[str]) -> str:
    found = [prefix for prefix in known if path == prefix or path.startswith(f"{prefix}.")]
    return max(found, key=len, default="")
