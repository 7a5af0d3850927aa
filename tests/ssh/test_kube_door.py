"""The way to the API server outlives the connection that it was dug through."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.engine import Connections
from sealpy.errors import HostError
from sealpy.kube import Kube, KubeDoor
from sealpy.testing.sshd import sshd
from tests.ssh.conftest import Client

pytestmark = pytest.mark.ssh

END_THE_CONNECTION = """
pid=$PPID
until [ "$pid" -le 1 ] || grep -q ^sshd /proc/$pid/comm; do pid=$(awk '{print $4}' /proc/$pid/stat); done
[ "$pid" -le 1 ] || kill -9 $pid
"""


class _Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


class _FakeKube:
    """Keep the address that the door found."""

    def __init__(self, server: str) -> None:
        self.server = server

    def ask(self) -> bytes:
        host, port = self.server.removeprefix("https://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            return connection.getresponse().read()

    def close(self) -> None:
        """Do nothing."""


def test_the_api_is_reached_again_when_the_connection_was_lost(
    client: Client, tmp_path: Path, api: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kube, "from_kubeconfig", lambda _document, *, server, **_: _FakeKube(server))
    monkeypatch.setattr(KubeDoor, "kubeconfig", lambda _door: {})
    with sshd(tmp_path / "a") as server:
        connector = client.to(server)
        door = KubeDoor(Connections(lambda _address: connector), "127.0.0.1", port=api)
        kube = door.open()
        assert isinstance(kube, _FakeKube)
        assert kube.ask() == b"here"

        with pytest.raises(HostError):
            connector.run(("sh", "-c", END_THE_CONNECTION))

        again = door.open()
        assert isinstance(again, _FakeKube)
        assert again.ask() == b"here"
        door.close()
