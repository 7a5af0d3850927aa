"""What is asked of an API server and what is made of its answers, against a server that gives scripted ones."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from urllib3 import PoolManager

from sealpy.connectors.interruption import Interruption
from sealpy.errors import InterruptedRunError, KubeError
from sealpy.kube import Kube, Node, Pod

Answers = dict[tuple[str, str], tuple[int, Any]]


class _Server(http.server.ThreadingHTTPServer):
    """Give the answer for each method and path; keep what was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: Answers = {}
        self.sent: list[tuple[str, str, Any]] = []
        self.logins: set[str | None] = set()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.partition("?")[0]
        self.server.logins.add(self.headers.get("Authorization"))
        self.server.sent.append((self.command, self.path, body))
        status, data = self.server.answers.get((self.command, path), (404, {"message": "no such"}))
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names are the parent's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def kube(server: _Server) -> Iterator[Kube]:
    made = Kube.from_kubeconfig(
        {
            "clusters": [{"name": "k", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
            "users": [{"name": "admin", "user": {"token": "letmein"}}],
            "contexts": [{"name": "k", "context": {"cluster": "k", "user": "admin"}}],
            "current-context": "k",
        }
    )
    yield made
    made.close()


def pod(name: str, *, owner: str = "ReplicaSet", phase: str = "Running", mirror: bool = False) -> Mapping[str, Any]:
    annotations = {"kubernetes.io/config.mirror": "x"} if mirror else {}
    owners = [{"apiVersion": "apps/v1", "kind": owner, "name": "o", "uid": "u"}]
    return {
        "metadata": {
            "namespace": "shop", "name": name, "uid": f"id of {name}", "annotations": annotations,
            "ownerReferences": owners,
        },
        "status": {"phase": phase},
    }  # fmt: skip


def test_a_drain_moves_pods_but_not_those_of_daemon_sets_of_the_node_itself_or_ended_ones(
    server: _Server, kube: Kube
) -> None:
    items = [
        pod("web"),
        pod("proxy", owner="DaemonSet"),
        pod("etcd", owner="Node", mirror=True),
        pod("job", phase="Failed"),
    ]
    server.answers["GET", "/api/v1/pods"] = (200, {"items": items})
    assert kube.pods_to_move("n1") == (Pod("shop", "web"),)
    assert "fieldSelector=spec.nodeName%3Dn1" in server.sent[0][1]


EVICTION = ("POST", "/api/v1/namespaces/shop/pods/web/eviction")


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [(201, "", ""), (404, "not found", ""), (429, "needs 1 healthy pod", "needs 1 healthy pod")],
)
def test_an_eviction_is_accepted_needless_or_refused_with_the_servers_words(
    server: _Server, kube: Kube, status: int, said: str, told: str
) -> None:
    server.answers[EVICTION] = (status, {"kind": "Status", "message": said})
    assert kube.evict(Pod("shop", "web", "id of web")) == told
    assert server.sent[0][2]["deleteOptions"] == {"preconditions": {"uid": "id of web"}}


def test_an_eviction_that_fails_otherwise_is_an_error(server: _Server, kube: Kube) -> None:
    server.answers[EVICTION] = (500, {"message": "boom"})
    with pytest.raises(KubeError, match="evict pod 'shop/web': 500"):
        kube.evict(Pod("shop", "web"))


def test_a_node_is_cordoned_and_removed_and_one_that_is_gone_is_gone(server: _Server, kube: Kube) -> None:
    server.answers["PATCH", "/api/v1/nodes/n1"] = (200, {"metadata": {"name": "n1"}})
    kube.cordon("n1")
    kube.uncordon("n1")
    assert [body["spec"] for _, _, body in server.sent] == [{"unschedulable": True}, {"unschedulable": None}]
    kube.delete_node("n1")  # the server knows none of this name
    assert server.sent[-1][0] == "DELETE"


def test_a_label_is_taken_away_by_null(server: _Server, kube: Kube) -> None:
    server.answers["PATCH", "/api/v1/nodes/n1"] = (200, {"metadata": {"name": "n1"}})
    kube.patch_node("n1", labels={"zone": None, "disk": "ssd"})
    assert server.sent[0][2] == {"metadata": {"labels": {"zone": None, "disk": "ssd"}}}


def test_a_node_tells_whether_pods_are_scheduled_on_it(server: _Server, kube: Kube) -> None:
    node = {
        "metadata": {"name": "n1", "labels": {"a": "b"}},
        "spec": {"unschedulable": True},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "conditions": [{"type": "Ready", "status": "True", "message": ""}],
            "nodeInfo": {"kubeletVersion": "v1.34.4"},
        },
    }
    server.answers["GET", "/api/v1/nodes"] = (200, {"items": [node]})
    assert kube.nodes() == (
        Node(
            name="n1",
            address="10.0.0.1",
            labels={"a": "b"},
            taints=(),
            reason="",
            unschedulable=True,
            version="v1.34.4",
        ),
    )


def test_an_api_server_tells_its_version(server: _Server, kube: Kube) -> None:
    server.answers["GET", "/version"] = (200, {"gitVersion": "v1.34.4", "platform": "linux/amd64"})
    assert kube.version() == "v1.34.4"


def test_every_request_carries_the_login_of_the_kubeconfig(server: _Server, kube: Kube) -> None:
    kube.config_map("kube-system", "a")
    assert server.logins == {"Bearer letmein"}


def test_a_config_map_is_replaced_or_made_when_it_is_not_there(server: _Server, kube: Kube) -> None:
    where = "/api/v1/namespaces/kube-system/configmaps"
    server.answers["POST", where] = (201, {})
    kube.write_config_map("kube-system", "a", {"k": "v"})
    assert [(method, path) for method, path, _ in server.sent] == [("PUT", f"{where}/a"), ("POST", where)]
    server.answers["PUT", f"{where}/a"] = (200, {})
    server.sent.clear()
    kube.write_config_map("kube-system", "a", {"k": "v"})
    [(method, _, body)] = server.sent
    assert (method, body["metadata"], body["data"]) == ("PUT", {"name": "a"}, {"k": "v"})


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"availableReplicas": 2}, ""),
        ({"availableReplicas": 1}, "1 of 2 pods available"),
        ({}, "0 of 2 pods available"),
    ],
)
def test_a_deployment_serves_when_all_its_pods_are_available(
    server: _Server, kube: Kube, status: Mapping[str, int], reason: str
) -> None:
    where = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
    server.answers["GET", where] = (200, {"spec": {"replicas": 2}, "status": status})
    assert kube.unready_deployment("kube-system", "coredns") == reason
    assert kube.unready_deployment("kube-system", "gone") == ""


@pytest.mark.parametrize(
    ("ready", "wanted", "reason"), [(2, 2, ""), (1, 2, "ready on 1 of 2 nodes"), (0, 0, "ready on 0 of 0 nodes")]
)
def test_a_daemon_set_serves_when_it_is_ready_on_every_node(
    server: _Server, kube: Kube, ready: int, wanted: int, reason: str
) -> None:
    where = "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy"
    server.answers["GET", where] = (
        200,
        {"spec": {}, "status": {"numberReady": ready, "desiredNumberScheduled": wanted}},
    )
    assert kube.unready_daemon_set("kube-system", "kube-proxy") == reason


NOT_FOUND = 'failed to pull and unpack image "docker.io/coredns/coredns:v1": not found'
PULLING = {"reason": "ErrImagePull", "message": f"rpc error: code = NotFound desc = {NOT_FOUND}"}
HELD_BACK = {
    "reason": "ImagePullBackOff",
    "message": f'Back-off pulling image "docker.io/coredns/coredns:v1": ErrImagePull: {PULLING["message"]}',
}
NO_NODE = {
    "type": "PodScheduled",
    "status": "False",
    "message": "0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: 0/1 …",
}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"containerStatuses": [{"state": {"waiting": PULLING}}]}, f": {NOT_FOUND}"),
        ({"containerStatuses": [{"state": {"waiting": HELD_BACK}}]}, f": {NOT_FOUND}"),
        ({"initContainerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}, ": CrashLoopBackOff"),
        ({"conditions": [NO_NODE]}, ": 0/1 nodes are available: 1 node(s) had untolerated taint(s)"),
        ({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}, ""),
        ({"containerStatuses": [{"state": {"running": {}}}], "conditions": [{**NO_NODE, "status": "True"}]}, ""),
    ],
)
def test_what_does_not_serve_says_what_its_pods_wait_for(
    server: _Server, kube: Kube, status: Mapping[str, Any], why: str
) -> None:
    spec = {"replicas": 2, "selector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    server.answers["GET", "/apis/apps/v1/namespaces/kube-system/deployments/coredns"] = (
        200,
        {"spec": spec, "status": {}},
    )
    server.answers["GET", "/api/v1/namespaces/kube-system/pods"] = (200, {"items": [{"status": status}]})
    assert kube.unready_deployment("kube-system", "coredns") == f"0 of 2 pods available{why}"
    assert server.sent[-1][1].endswith("?labelSelector=k8s-app%3Dkube-dns")


def test_the_first_pod_of_a_node_that_waits_is_named(server: _Server, kube: Kube) -> None:
    runs = {"metadata": {"namespace": "kube-system", "name": "proxy"}, "status": {}}
    pulls = {"containerStatuses": [{"state": {"waiting": PULLING}}]}
    waits = {"metadata": {"namespace": "kube-flannel", "name": "flannel-x"}, "status": pulls}
    server.answers["GET", "/api/v1/pods"] = (200, {"items": [runs, waits]})
    assert kube.waits_on("n1") == f"kube-flannel/flannel-x: {NOT_FOUND}"
    server.answers["GET", "/api/v1/pods"] = (200, {"items": [runs]})
    assert kube.waits_on("n1") == ""
    assert server.sent[-1][1].endswith("?fieldSelector=spec.nodeName%3Dn1")


def test_an_answer_that_is_none_is_an_error(server: _Server, kube: Kube) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(KubeError, match=r"the API server does not answer \(list nodes\)"):
        kube.nodes()


def test_a_node_that_is_not_ready_says_why(server: _Server, kube: Kube) -> None:
    conditions = [{"type": "Ready", "status": "False", "message": "no network"}]
    nodes = [
        {"metadata": {"name": "a"}, "spec": {}, "status": {"conditions": conditions}},
        {"metadata": {"name": "b"}, "spec": {}, "status": {}},
    ]
    server.answers["GET", "/api/v1/nodes"] = (200, {"items": nodes})
    assert [node.reason for node in kube.nodes()] == ["no network", "has not reported yet"]


def test_a_node_that_is_short_of_something_says_of_what_though_it_is_ready(server: _Server, kube: Kube) -> None:
    conditions = [
        {"type": "Ready", "status": "True"},
        {"type": "MemoryPressure", "status": "False", "message": "kubelet has sufficient memory available"},
        {"type": "DiskPressure", "status": "True", "message": "kubelet has disk pressure"},
    ]
    node = {"metadata": {"name": "a"}, "spec": {}, "status": {"conditions": conditions}}
    server.answers["GET", "/api/v1/nodes"] = (200, {"items": [node]})
    (found,) = kube.nodes()
    assert (found.reason, found.short_of) == ("", ("kubelet has disk pressure",))


def test_an_answer_that_does_not_come_is_not_waited_for_once_the_run_is_to_end() -> None:
    stop = Interruption()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cluster, context = {"name": "k", "cluster": {"server": address}}, {"cluster": "k", "user": "k"}
        document = {
            "clusters": [cluster],
            "users": [{"name": "k", "user": {"token": "x"}}],
            "contexts": [{"name": "k", "context": context}],
            "current-context": "k",
        }
        kube = Kube.from_kubeconfig(document, interruption=stop)
        accepted: list[socket.socket] = []

        def accept() -> None:
            accepted.append(silent.accept()[0])
            stop.ask()

        threading.Thread(target=accept, daemon=True).start()
        with pytest.raises(InterruptedRunError, match=r"the API server's answer \(list nodes\) was not waited for"):
            kube.nodes()
        kube.close()
        accepted[0].close()


def test_what_changes_something_is_finished_though_the_run_is_to_end(server: _Server) -> None:
    stop = Interruption()
    pool = PoolManager()
    kube = Kube(f"http://127.0.0.1:{server.server_address[1]}", pool, {}, stop)
    server.answers["PATCH", "/api/v1/nodes/a"] = (200, {})
    stop.ask()
    kube.cordon("a")
    assert [method for method, _, _ in server.sent] == ["PATCH"]
    with pytest.raises(InterruptedRunError):
        kube.nodes()
    kube.close()
