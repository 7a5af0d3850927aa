"""What is asked of an API server and what is made of its answers, against a server that gives scripted ones."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from kubernetes import client

from sealpy.errors import KubeError
from sealpy.kube import Kube, Node, Pod

Answers = dict[tuple[str, str], tuple[int, Any]]


class _Server(http.server.ThreadingHTTPServer):
    """Give the answer for each method and path; keep what was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: Answers = {}
        self.sent: list[tuple[str, str, Any]] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.partition("?")[0]
        self.server.sent.append((self.command, self.path, body))
        status, data = self.server.answers.get((self.command, path), (404, {"message": "no such"}))
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PATCH = do_POST = do_DELETE = answer  # noqa: N815 - the names are the parent's

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
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_address[1]}"
    configuration.retries = False
    made = Kube(client.ApiClient(configuration))
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
    assert server.sent[0][2] == {"spec": {"unschedulable": True}}
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
        },
    }
    server.answers["GET", "/api/v1/nodes"] = (200, {"items": [node]})
    assert kube.nodes() == (
        Node(name="n1", address="10.0.0.1", labels={"a": "b"}, taints=(), reason="", unschedulable=True),
    )
