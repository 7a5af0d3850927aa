"""Nodes, deployments, pods and config maps of one cluster."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sealpy.errors import KubeError

if TYPE_CHECKING:
    from kubernetes import client

__all__ = ["Kube", "Node", "NodeTaint", "Pod"]

_TIMEOUT = 20.0  # seconds for one request
_MISSING = 404
_TOO_MANY = 429  # what an eviction is answered that a disruption budget does not allow now
_MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True, slots=True)
class NodeTaint:
    """Keep pods away from a node; `effect` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Describe a node: `address` is its InternalIP, `reason` says why it is not ready and is empty when it is."""

    name: str
    address: str
    labels: Mapping[str, str]
    taints: tuple[NodeTaint, ...]
    reason: str
    unschedulable: bool = False


@dataclass(frozen=True, slots=True)
class Pod:
    """Name a pod."""

    namespace: str
    name: str
    uid: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Kube:
    """Speak with one API server, as the administrator that the kubeconfig names."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api: Any = api

    @classmethod
    def from_kubeconfig(cls, document: Mapping[str, Any], *, server: str = "") -> Kube:
        """Open the doorway; `server` replaces the address, the certificate is still checked."""
        from kubernetes import client, config  # noqa: PLC0415 - 265 ms

        load: Any = config.load_kube_config_from_dict
        config_object = client.Configuration()
        load(dict(document), client_configuration=config_object)
        if server:
            config_object.host = server
        config_object.proxy = None  # an operator's web proxy is not for the cluster
        config_object.retries = False
        return cls(client.ApiClient(config_object))

    def close(self) -> None:
        """End the connection."""
        self._api.close()

    def nodes(self) -> tuple[Node, ...]:
        """List the nodes by name."""
        with _asking("list nodes"):
            found = self._core().list_node(_request_timeout=_TIMEOUT).items
        return tuple(sorted((_node(node) for node in found), key=lambda node: node.name))

    def patch_node(
        self, name: str, *, labels: Mapping[str, str | None] | None = None, taints: Sequence[NodeTaint] | None = None
    ) -> None:
        """Set labels (added to those there; None takes one away) and, where given, the whole list of taints."""
        body: dict[str, Any] = {}
        if labels:
            body["metadata"] = {"labels": dict(labels)}
        if taints is not None:
            body["spec"] = {
                "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in taints]
            }
        with _asking(f"change node '{name}'"):
            self._core().patch_node(name, body, _request_timeout=_TIMEOUT)

    def cordon(self, name: str) -> None:
        """Let no more pods be scheduled on a node."""
        with _asking(f"cordon node '{name}'"):
            self._core().patch_node(name, {"spec": {"unschedulable": True}}, _request_timeout=_TIMEOUT)

    def delete_node(self, name: str) -> None:
        """Take a node out of the cluster; one that is not there is out already."""
        with _asking(f"remove node '{name}'", missing=True):
            self._core().delete_node(name, _request_timeout=_TIMEOUT)

    def pods_to_move(self, node: str) -> tuple[Pod, ...]:
        """List the pods of a node that a drain moves: not those of daemon sets, of the node itself, or ended ones."""
        with _asking(f"list the pods of node '{node}'"):
            found = (
                self._core()
                .list_pod_for_all_namespaces(field_selector=f"spec.nodeName={node}", _request_timeout=_TIMEOUT)
                .items
            )
        return tuple(Pod(pod.metadata.namespace, pod.metadata.name, pod.metadata.uid) for pod in found if _moves(pod))

    def evict(self, pod: Pod) -> str:
        """Ask a pod to go; gives "" or, when a disruption budget does not allow it now, the server's reason."""
        from kubernetes.client import ApiException  # noqa: PLC0415

        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}} if pod.uid else {},
        }
        with _asking(f"evict pod '{pod}'", missing=True):
            try:
                self._core().create_namespaced_pod_eviction(pod.name, pod.namespace, body, _request_timeout=_TIMEOUT)
            except ApiException as error:
                if error.status != _TOO_MANY:
                    raise
                return _message(error)
        return ""

    def config_map(self, namespace: str, name: str) -> dict[str, str] | None:
        """Read the data of a ConfigMap; None when there is no such."""
        with _asking(f"read ConfigMap '{namespace}/{name}'", missing=True) as answer:
            answer.append(self._core().read_namespaced_config_map(name, namespace, _request_timeout=_TIMEOUT))
        return dict(answer[0].data or {}) if answer else None

    def write_config_map(self, namespace: str, name: str, data: Mapping[str, str]) -> None:
        """Create or replace a ConfigMap."""
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}
        with _asking(f"write ConfigMap '{namespace}/{name}'"):
            if self.config_map(namespace, name) is None:
                self._core().create_namespaced_config_map(namespace, body, _request_timeout=_TIMEOUT)
            else:
                self._core().replace_namespaced_config_map(name, namespace, body, _request_timeout=_TIMEOUT)

    def unready_deployment(self, namespace: str, name: str) -> str:
        """Say why a deployment does not serve yet; empty when all its pods are available, or there is no such."""
        from kubernetes import client  # noqa: PLC0415

        with _asking(f"read Deployment '{namespace}/{name}'", missing=True) as answer:
            apps: Any = client.AppsV1Api(self._api)
            answer.append(apps.read_namespaced_deployment_status(name, namespace, _request_timeout=_TIMEOUT))
        if not answer:
            return ""
        available, wanted = answer[0].status.available_replicas or 0, answer[0].spec.replicas or 0
        return "" if available >= wanted else f"{available} of {wanted} pods available"

    def unready_daemon_set(self, namespace: str, name: str) -> str:
        """Say why a daemon set does not serve yet; empty when it is ready on every node, or there is no such."""
        from kubernetes import client  # noqa: PLC0415

        with _asking(f"read DaemonSet '{namespace}/{name}'", missing=True) as answer:
            apps: Any = client.AppsV1Api(self._api)
            answer.append(apps.read_namespaced_daemon_set_status(name, namespace, _request_timeout=_TIMEOUT))
        if not answer:
            return ""
        ready, wanted = answer[0].status.number_ready or 0, answer[0].status.desired_number_scheduled or 0
        return "" if ready >= wanted > 0 else f"ready on {ready} of {wanted} nodes"

    def _core(self) -> Any:  # the generated types make everything optional
        from kubernetes import client  # noqa: PLC0415

        return client.CoreV1Api(self._api)


@contextlib.contextmanager
def _asking(what: str, *, missing: bool = False) -> Generator[list[Any]]:
    """Turn what the client raises into a KubeError; `missing` lets a 404 pass as no answer."""
    from kubernetes.client import ApiException  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    answer: list[Any] = []
    try:
        yield answer
    except ApiException as error:
        if missing and error.status == _MISSING:
            return
        raise KubeError(f"the API server refused to {what}: {error.status} {error.reason}") from error
    except (HTTPError, OSError) as error:
        raise KubeError(
            f"the API server does not answer ({what}): {error}",
            hint="is the leader up, and is its kube-apiserver running?",
        ) from error


def _node(node: Any) -> Node:
    addresses = {entry.type: entry.address for entry in node.status.addresses or ()}
    ready = next((entry for entry in node.status.conditions or () if entry.type == "Ready"), None)
    reason = "" if ready and ready.status == "True" else (ready.message if ready else "has not reported yet")
    return Node(
        name=node.metadata.name,
        address=addresses.get("InternalIP", ""),
        labels=dict(node.metadata.labels or {}),
        taints=tuple(NodeTaint(taint.key, taint.value or "", taint.effect) for taint in node.spec.taints or ()),
        reason=reason,
        unschedulable=bool(node.spec.unschedulable),
    )


def _moves(pod: Any) -> bool:
    owners = {owner.kind for owner in pod.metadata.owner_references or ()}
    ended = pod.status.phase in {"Succeeded", "Failed"}
    return not ended and "DaemonSet" not in owners and _MIRROR not in (pod.metadata.annotations or {})


def _message(error: Any) -> str:
    """Give what the API server said in the body of a refusal."""
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
