"""Documents for kubeadm, brought to one version and laid over each other: nothing of the upper one is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sealpy.errors import ConfigError

__all__ = ["API", "Documents", "layered", "version_of"]

API = "kubeadm.k8s.io/"
_VERSIONS = ("v1beta1", "v1beta2", "v1beta3", "v1beta4")
_LATEST = "v1beta4"
_KINDS = ("InitConfiguration", "ClusterConfiguration", "JoinConfiguration")
_ARGUMENTS = ("extraArgs", "kubeletExtraArgs")
_FIRST = {"v1beta3": (1, 22), "v1beta4": (1, 31)}  # the Kubernetes whose kubeadm speaks it first

Document = dict[str, Any]
Documents = Mapping[str, Mapping[str, Any]]


def version_of(*layers: Documents) -> str:
    """Give the newest version of kubeadm's API that any document is written in; the latest when none says."""
    found = [
        str(documents[kind].get("apiVersion", "")).removeprefix(API)
        for documents in layers
        for kind in _KINDS
        if kind in documents
    ]
    known = [version for version in found if version in _VERSIONS]
    return max(known, default=_LATEST)


def layered(below: Documents, above: Documents) -> dict[str, Document]:
    """Lay documents by kind over others, in the newest version of both; raises ConfigError.

    Mappings are merged key by key, arguments and volumes by their name, names of the API server are added; any other
    list above takes the place of the one below.
    """
    _check_kubernetes(below, above)
    version = version_of(below, above)
    lower, upper = (_converted(documents, version) for documents in (below, above))
    merged = {kind: _merged(lower.get(kind, {}), upper.get(kind, {})) for kind in {**lower, **upper}}
    if (upper.get("ClusterConfiguration", {}).get("etcd") or {}).get("external"):
        merged["ClusterConfiguration"]["etcd"].pop("local", None)
    for kind in merged.keys() & set(_KINDS):
        merged[kind] = {**merged[kind], "apiVersion": API + version}
    _check_version(version, merged.get("ClusterConfiguration", {}))
    return merged


def _check_kubernetes(below: Documents, above: Documents) -> None:
    there, wanted = (
        str(layer.get("ClusterConfiguration", {}).get("kubernetesVersion", "")) for layer in (below, above)
    )
    if there and wanted and there.removeprefix("v") != wanted.removeprefix("v"):
        raise ConfigError(
            f"ClusterConfiguration: kubernetesVersion is '{wanted}', but the image holds '{there}'",
            hint="leave it out, or name another image",
        )


def _check_version(version: str, cluster: Mapping[str, Any]) -> None:
    """Refuse documents that the kubeadm of the image is too old for; when it does not say, kubeadm will."""
    numbers = str(cluster.get("kubernetesVersion", "")).removeprefix("v").split(".")[:2]
    if version in _FIRST and len(numbers) > 1 and all(map(str.isdecimal, numbers)):
        found = tuple(map(int, numbers))
        if found < _FIRST[version]:
            raise ConfigError(
                f"{API}{version} is not known to the kubeadm of Kubernetes {'.'.join(numbers)}",
                hint="write the documents for kubeadm in the version of the image's etc/kubeadm.yml",
            )


# ---- one version


def _converted(documents: Documents, version: str) -> dict[str, Document]:
    """Bring documents to a version that is not older than theirs; one that names no version is of any."""
    result = {kind: dict(document) for kind, document in documents.items()}
    own = {kind: str(result[kind].get("apiVersion", "")).removeprefix(API) for kind in _KINDS if kind in result}
    for at in range(1, len(_VERSIONS)):
        if _VERSIONS[at] > version:
            break
        older = [kind for kind, found in own.items() if not found or found < _VERSIONS[at]]
        _UP[_VERSIONS[at]](result, older)
    return result


def _to_v1beta2(_documents: dict[str, Document], _kinds: Sequence[str]) -> None:
    """Change nothing: no field went away."""


def _to_v1beta3(documents: dict[str, Document], kinds: Sequence[str]) -> None:
    """Take out what only named what is the only way now."""
    if "ClusterConfiguration" in kinds:
        cluster = documents["ClusterConfiguration"]
        cluster.pop("useHyperKubeImage", None)
        if dns := cluster.get("dns"):
            cluster["dns"] = {key: value for key, value in dns.items() if key != "type"}


def _to_v1beta4(documents: dict[str, Document], kinds: Sequence[str]) -> None:
    """Make lists of arguments, and bring time limits to where they are now."""
    for kind in kinds:
        documents[kind] = _with_lists(documents[kind])
    if "ClusterConfiguration" in kinds and (server := documents["ClusterConfiguration"].get("apiServer")):
        limit = server.get("timeoutForControlPlane")
        documents["ClusterConfiguration"]["apiServer"] = _without(server, "timeoutForControlPlane")
        for kind in ("InitConfiguration", "JoinConfiguration") if limit else ():
            _add_timeout(documents, kind, "controlPlaneComponentHealthCheck", limit)
    if "JoinConfiguration" in kinds and (discovery := documents["JoinConfiguration"].get("discovery")):
        documents["JoinConfiguration"]["discovery"] = _without(discovery, "timeout")
        if limit := discovery.get("timeout"):
            _add_timeout(documents, "JoinConfiguration", "discovery", limit)


_UP: Mapping[str, Callable[[dict[str, Document], Sequence[str]], None]] = {
    "v1beta2": _to_v1beta2,
    "v1beta3": _to_v1beta3,
    "v1beta4": _to_v1beta4,
}


def _add_timeout(documents: dict[str, Document], kind: str, name: str, limit: object) -> None:
    document = documents.setdefault(kind, {})
    documents[kind] = {**document, "timeouts": {name: limit, **(document.get("timeouts") or {})}}


def _without(mapping: Mapping[str, Any], key: str) -> Document:
    return {name: value for name, value in mapping.items() if name != key}


def _with_lists(value: Any) -> Any:
    """Write arguments as a list of name and value, wherever they stand."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: [{"name": name, "value": text} for name, text in inner.items()]
        if key in _ARGUMENTS and isinstance(inner, Mapping)
        else _with_lists(inner)
        for key, inner in value.items()
    }


# ---- two layers


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Document:
    result = dict(below)
    for key, value in above.items():
        result[key] = _merged_value(key, result.get(key), value)
    return result


def _merged_value(key: str, old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _merged(old, new)
    if not isinstance(old, list) or not isinstance(new, list):
        return new
    if key == "certSANs":
        return list(dict.fromkeys([*old, *new]))
    if key in {*_ARGUMENTS, "extraVolumes"}:
        names = {item.get("name") for item in new}
        return [*(item for item in old if item.get("name") not in names), *new]
    return new
