"""The documents that kubeadm reads: the image's, the user's over them, and what only the run can know."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from sealpy.errors import ConfigError
from sealpy.runtimes import ClusterPlan, JoinTicket
from sealpy.runtimes.kubeadm_merge import API, layered, version_of

__all__ = [
    "DISCOVERY",
    "discovery",
    "documents_by_kind",
    "init_config",
    "join_config",
    "reconfiguration",
    "settings",
]

DISCOVERY = "/etc/kubernetes/discovery.conf"  # where `discovery` stands on a host while it joins

KINDS = (
    "InitConfiguration",
    "ClusterConfiguration",
    "KubeletConfiguration",
    "KubeProxyConfiguration",
    "JoinConfiguration",
)
_GROUPS = {
    "KubeletConfiguration": "kubelet.config.k8s.io/v1beta1",
    "KubeProxyConfiguration": "kubeproxy.config.k8s.io/v1alpha1",
}
_CRI_SOCKET = "unix:///run/containerd/containerd.sock"


def documents_by_kind(text: str, *, name: str) -> dict[str, dict[str, Any]]:
    """Read a multi-document YAML of kubeadm kinds; `name` is the file, for the message; raises ConfigError."""
    try:
        found = [document for document in yaml.safe_load_all(text) if document]
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: no YAML: {error}", hint="look at the template after rendering") from error
    result: dict[str, dict[str, Any]] = {}
    for document in found:
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind not in KINDS:
            raise ConfigError(f"{name}: kind {kind!r} is none of kubeadm's", hint=f"use one of {', '.join(KINDS)}")
        result[kind] = document
    return result


def init_config(plan: ClusterPlan, *, ticket: JoinTicket) -> str:
    """Give the file for `kubeadm init` on the leader; holds secrets."""
    documents = _init_documents(plan, plan.leader, masters=plan.masters)
    init = documents["InitConfiguration"]
    init["bootstrapTokens"] = [{"token": ticket.token, "ttl": "2h0m0s"}]
    init["certificateKey"] = ticket.certificate_key
    return _written(documents)


def reconfiguration(plan: ClusterPlan, host: str) -> str:
    """Give the file by which kubeadm changes a control plane that runs already; holds no secret."""
    return _written(_init_documents(plan, host, masters=plan.masters))


def settings(plan: ClusterPlan) -> dict[str, dict[str, Any]]:
    """Give what is set for the cluster as a whole, by kind; it does not depend on which hosts there are."""
    documents = _init_documents(plan, plan.leader, masters=())
    return {kind: documents[kind] for kind in ("ClusterConfiguration", *_GROUPS)}


def _written(documents: Mapping[str, Mapping[str, Any]]) -> str:
    return yaml.safe_dump_all([document for document in documents.values() if document], sort_keys=False)


def _init_documents(plan: ClusterPlan, host: str, *, masters: Iterable[str]) -> dict[str, dict[str, Any]]:
    found = layered(plan.documents, plan.overrides)
    documents = {kind: _document(plan, found, kind) for kind in KINDS if kind != "JoinConfiguration"}
    init = documents["InitConfiguration"]
    init["localAPIEndpoint"] = {**init.get("localAPIEndpoint", {}), "advertiseAddress": host}
    init["nodeRegistration"] = _node_registration(plan, host, init)
    cluster = documents["ClusterConfiguration"]
    cluster["clusterName"] = plan.overrides.get("ClusterConfiguration", {}).get("clusterName") or plan.name
    cluster["controlPlaneEndpoint"] = f"{plan.endpoint}:{plan.port}"
    cluster.setdefault("imageRepository", plan.registry_url)
    server = cluster["apiServer"] = dict(cluster.get("apiServer") or {})
    server["certSANs"] = _cert_sans(plan, server.get("certSANs") or (), masters)
    return documents


def join_config(plan: ClusterPlan, host: str, *, ticket: JoinTicket) -> str:
    """Give the file for `kubeadm join` on a host; a master's asks for a control plane; holds secrets."""
    join = _document(plan, layered(plan.documents, plan.overrides), "JoinConfiguration")
    join["discovery"] = {
        **(join.get("discovery") or {}),
        "file": {"kubeConfigPath": DISCOVERY},
        "tlsBootstrapToken": ticket.token,
    }
    join["nodeRegistration"] = _node_registration(plan, host, join)
    join.pop("controlPlane", None)  # what a document says of it concerns those hosts only that get one
    if host in plan.masters:
        join["controlPlane"] = {
            "localAPIEndpoint": {"advertiseAddress": host, "bindPort": plan.port},
            "certificateKey": ticket.certificate_key,
        }
    return yaml.safe_dump(join, sort_keys=False)


def discovery(plan: ClusterPlan, *, ticket: JoinTicket) -> str:
    """Give the kubeconfig by which a host that joins finds the API server and knows it; holds no secret.

    By a token alone it would have to wait until the controller manager has signed what anybody may read of the cluster,
    and kubeadm looks for that every five seconds only.
    """
    authority = base64.b64encode(ticket.authority.encode()).decode()
    cluster = {"server": f"https://{plan.endpoint}:{plan.port}", "certificate-authority-data": authority}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "", "cluster": cluster}]})


def _document(plan: ClusterPlan, found: Mapping[str, Mapping[str, Any]], kind: str) -> dict[str, Any]:
    """Give a document with its kind and version; kubelet and kube-proxy may have none."""
    document = dict(found.get(kind, {}))
    if kind in _GROUPS:
        return {"apiVersion": _GROUPS[kind], **document, "kind": kind} if document else {}
    version = API + version_of(plan.documents, plan.overrides)
    return {"apiVersion": version, **document, "kind": kind}


def _node_registration(plan: ClusterPlan, host: str, document: Mapping[str, Any]) -> dict[str, Any]:
    image = plan.documents.get(document["kind"], {}).get("nodeRegistration") or {}
    registration = {**(document.get("nodeRegistration") or {}), "criSocket": image.get("criSocket", _CRI_SOCKET)}
    lists = version_of(plan.documents, plan.overrides) >= "v1beta4"
    arguments = registration.get("kubeletExtraArgs") or ([] if lists else {})
    if isinstance(arguments, list):
        given = {argument["name"] for argument in arguments}
        registration["kubeletExtraArgs"] = [
            *arguments,
            *([] if "node-ip" in given else [{"name": "node-ip", "value": host}]),
        ]
    else:
        registration["kubeletExtraArgs"] = {"node-ip": host, **arguments}
    if plan.env.get(host, {}).get("UseIPasNodeName") == "true":
        registration["name"] = host
    return registration


def _cert_sans(plan: ClusterPlan, given: Iterable[str], masters: Iterable[str]) -> list[str]:
    """Add to the names given, never take one away; 127.0.0.1 serves those who come through a tunnel."""
    from_env = plan.env.get(plan.leader, {}).get("CertSANs", "")
    names = (*given, *plan.cert_sans, *from_env.split(","), "127.0.0.1", "localhost", plan.endpoint, *masters)
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))
