"""Nodes, deployments, pods and config maps of one cluster.

The official client reads the kubeconfig; requests are made here. Its classes for the API are hundreds of models that
take longer to load than a whole run that finds nothing to do, and make every field optional; we ask for a dozen fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sealpy.connectors.interruption import Interruption
from sealpy.errors import KubeError

if TYPE_CHECKING:
    from urllib3 import PoolManager

__all__ = ["Kube", "Node", "NodeTaint", "Pod"]

_TIMEOUT = 20.0  # seconds for one request
_MISSING = 404
_REFUSED = 400  # and above
_TOO_MANY = 429  # what an eviction is answered that a disruption budget does not allow now
_PRESSURES = ("DiskPressure", "MemoryPressure", "PIDPressure")
_STARTING = (None, "ContainerCreating", "PodInitializing")
_MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True, slots=True)
class NodeTaint:
    """Keep pods away from a node; `effect` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Describe a node: `address` is its InternalIP, `reason` says why it is not ready and is empty when it is.

    `short_of` says what it has too little of to be given pods, ready or not: disk, memory, processes. `version` is that
    of its kubelet, such as `v1.34.4`.
    """

    name: str
    address: str
    labels: Mapping[str, str]
    taints: tuple[NodeTaint, ...]
    reason: str
    short_of: tuple[str, ...] = ()
    unschedulable: bool = False
    version: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """Name a pod; nobody makes one anew that is `alone`."""

    namespace: str
    name: str
    uid: str = field(default="", compare=False)
    alone: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Kube:
    """Speak with one API server, as the administrator that the kubeconfig names.

    Answers are not waited for once there is an interruption; what changes something is finished.
    """

    def __init__(self, server: str, pool: PoolManager, headers: Mapping[str, str], interruption: Interruption) -> None:
        self._server = server.rstrip("/")
        self._pool = pool
        self._headers = headers
        self._interruption = interruption

    @classmethod
    def from_kubeconfig(
        cls, document: Mapping[str, Any], *, server: str = "", interruption: Interruption | None = None
    ) -> Kube:
        """Open the doorway; `server` replaces the address, the certificate is still checked."""
        from kubernetes import client, config  # noqa: PLC0415 - 100 ms
        from urllib3 import PoolManager  # noqa: PLC0415

        load: Any = config.load_kube_config_from_dict
        settings: Any = client.Configuration()
        load(dict(document), client_configuration=settings)
        pool = PoolManager(  # no proxy: an operator's web proxy is not for the cluster
            cert_reqs="CERT_REQUIRED" if settings.verify_ssl else "CERT_NONE",
            ca_certs=settings.ssl_ca_cert,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            timeout=_TIMEOUT,
            retries=False,
        )
        logins = {one["key"]: one["value"] for one in settings.auth_settings().values() if one["in"] == "header"}
        headers = {"Accept": "application/json", "User-Agent": "sealpy", **logins}
        return cls(server or settings.host, pool, headers, interruption or Interruption())

    def close(self) -> None:
        """End the connection."""
        self._pool.clear()

    def nodes(self) -> tuple[Node, ...]:
        """List the nodes by name."""
        found = self._ask("list nodes", "GET", "/api/v1/nodes")["items"]
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
        self._ask(f"change node '{name}'", "PATCH", f"/api/v1/nodes/{name}", body)

    def cordon(self, name: str) -> None:
        """Let no more pods be scheduled on a node."""
        self._ask(f"cordon node '{name}'", "PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})

    def uncordon(self, name: str) -> None:
        """Let pods be scheduled on a node again."""
        self._ask(f"uncordon node '{name}'", "PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": None}})

    def version(self) -> str:
        """Give the version of the API server, such as `v1.34.4`."""
        return str(self._ask("read its version", "GET", "/version")["gitVersion"])

    def delete_node(self, name: str) -> None:
        """Take a node out of the cluster; one that is not there is out already."""
        self._find(f"remove node '{name}'", "DELETE", f"/api/v1/nodes/{name}")

    def pods_to_move(self, name: str) -> tuple[Pod, ...]:
        """List the pods of a node that a drain moves: not those of daemon sets, of the node itself, or ended ones."""
        where = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"
        found = self._ask(f"list the pods of node '{name}'", "GET", where)["items"]
        about = (pod["metadata"] for pod in found if _moves(pod))
        return tuple(
            Pod(one["namespace"], one["name"], one["uid"], alone=not one.get("ownerReferences")) for one in about
        )

    def waits_on(self, name: str) -> str:
        """Say what the first pod of a node that does not run waits for, such as an image; "" when none says so."""
        where = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"
        for pod in self._ask(f"list the pods of node '{name}'", "GET", where)["items"]:
            if reason := _waits_for(pod["status"]):
                return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {reason}"
        return ""

    def evict(self, pod: Pod) -> str:
        """Ask a pod to go; gives "" or, when a disruption budget does not allow it now, the server's reason."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}} if pod.uid else {},
        }
        where = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/eviction"
        try:
            self._find(f"evict pod '{pod}'", "POST", where, body)
        except _RefusedError as error:
            if error.status != _TOO_MANY:
                raise
            return error.reason
        return ""

    def config_map(self, namespace: str, name: str) -> dict[str, str] | None:
        """Read the data of a ConfigMap; None when there is no such."""
        what = f"read ConfigMap '{namespace}/{name}'"
        found = self._find(what, "GET", f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        return None if found is None else dict(found.get("data") or {})

    def write_config_map(self, namespace: str, name: str, data: Mapping[str, str]) -> None:
        """Create or replace a ConfigMap."""
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}
        where = f"/api/v1/namespaces/{namespace}/configmaps"
        what = f"write ConfigMap '{namespace}/{name}'"
        if self._find(what, "PUT", f"{where}/{name}", body) is None:
            self._ask(what, "POST", where, body)

    def unready_deployment(self, namespace: str, name: str) -> str:
        """Say why a deployment does not serve yet; empty when all its pods are available, or there is no such."""
        found = self._workload("Deployment", namespace, name)
        if found is None:
            return ""
        available, wanted = found["status"].get("availableReplicas", 0), found["spec"].get("replicas", 0)
        return "" if available >= wanted else f"{available} of {wanted} pods available{self._why(namespace, found)}"

    def unready_daemon_set(self, namespace: str, name: str) -> str:
        """Say why a daemon set does not serve yet; empty when it is ready on every node, or there is no such."""
        found = self._workload("DaemonSet", namespace, name)
        if found is None:
            return ""
        ready, wanted = (found["status"].get(field, 0) for field in ("numberReady", "desiredNumberScheduled"))
        return "" if ready >= wanted > 0 else f"ready on {ready} of {wanted} nodes{self._why(namespace, found)}"

    def _workload(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        where = f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s/{name}"
        return self._find(f"read {kind} '{namespace}/{name}'", "GET", where)

    def _why(self, namespace: str, workload: Mapping[str, Any]) -> str:
        """Say what the first of its pods that does not run waits for: an image, or a node; empty when none says so."""
        labels = workload["spec"].get("selector", {}).get("matchLabels", {})
        selector = quote(",".join(f"{key}={value}" for key, value in labels.items()))
        where = f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}"
        pods = self._ask("list its pods", "GET", where)["items"] if labels else ()
        return next((f": {reason}" for pod in pods if (reason := _waits_for(pod["status"]))), "")

    def _find(self, what: str, method: str, where: str, body: object = None) -> dict[str, Any] | None:
        """Make a request; None when there is no such thing. Raises KubeError for every other refusal."""
        try:
            return self._ask(what, method, where, body)
        except _RefusedError as error:
            if error.status == _MISSING:
                return None
            raise

    def _ask(self, what: str, method: str, where: str, body: object = None) -> dict[str, Any]:
        """Make a request and read the answer; raises KubeError that says what it was for."""
        if method != "GET":
            return self._answer(what, method, where, body)
        waiting = f"the API server's answer ({what})"
        return self._interruption.heed(lambda: self._answer(what, method, where, body), what=waiting)

    def _answer(self, what: str, method: str, where: str, body: object) -> dict[str, Any]:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        kind = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": kind}
        try:
            answer = self._pool.request(method, f"{self._server}{where}", body=data, headers=headers)
            found = json.loads(answer.data)
        except (HTTPError, OSError, ValueError) as error:
            raise KubeError(
                f"the API server does not answer ({what}): {error}",
                hint="is the leader up, and is its kube-apiserver running?",
            ) from error
        if answer.status >= _REFUSED:
            raise _RefusedError(what, answer.status, str(found.get("message") or answer.reason))
        return dict(found)


class _RefusedError(KubeError):
    """Report a request that the API server refused, in its own words."""

    def __init__(self, what: str, status: int, reason: str) -> None:
        super().__init__(f"the API server refused to {what}: {status} {reason}")
        self.status = status
        self.reason = reason


def _node(node: Any) -> Node:
    about, spec, status = node["metadata"], node["spec"], node["status"]
    addresses = {entry["type"]: entry["address"] for entry in status.get("addresses") or ()}
    conditions = status.get("conditions") or ()
    ready = next((entry for entry in conditions if entry["type"] == "Ready"), None)
    pressed = (entry for entry in conditions if entry["type"] in _PRESSURES and entry["status"] == "True")
    reason = "has not reported yet" if ready is None else ready.get("message") or "it is not ready"
    return Node(
        name=about["name"],
        address=addresses.get("InternalIP", ""),
        labels=dict(about.get("labels") or {}),
        taints=tuple(
            NodeTaint(taint["key"], taint.get("value") or "", taint["effect"]) for taint in spec.get("taints") or ()
        ),
        reason="" if ready and ready["status"] == "True" else reason,
        short_of=tuple(entry.get("message") or entry["type"] for entry in pressed),
        unschedulable=bool(spec.get("unschedulable")),
        version=(status.get("nodeInfo") or {}).get("kubeletVersion", ""),
    )


def _waits_for(status: Mapping[str, Any]) -> str:
    """Say what keeps a pod from running; "" when that is only a matter of seconds, or nothing does."""
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container["state"].get("waiting") or {}
        if waiting.get("reason") not in _STARTING:
            # before it the engine's code, and by turns that the kubelet holds back from the next try
            return str(waiting.get("message") or waiting["reason"]).rpartition(" desc = ")[2]
    scheduled = (one for one in status.get("conditions") or () if one["type"] == "PodScheduled")
    message = next((str(one.get("message", "")) for one in scheduled if one["status"] == "False"), "")
    return message.partition(". ")[0]  # what follows is why no other pod is driven away for it


def _moves(pod: Any) -> bool:
    about = pod["metadata"]
    owners = {owner["kind"] for owner in about.get("ownerReferences") or ()}
    ended = pod["status"].get("phase") in {"Succeeded", "Failed"}
    return not ended and "DaemonSet" not in owners and _MIRROR not in (about.get("annotations") or {})
