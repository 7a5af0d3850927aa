"""The way to a cluster's API server: through the leader's connection, with the leader's own admin.conf."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Mapping
from typing import Any

import yaml

from sealpy.engine import Connections
from sealpy.errors import ConnectError, KubeError
from sealpy.kube.api import Kube
from sealpy.sdk.nodes import ADMIN_CONF

__all__ = ["KubeDoor"]


class KubeDoor:
    """Open the API of a cluster when it is first asked for, once for a run.

    Requests travel over the SSH connection that is there already, so neither the name nor the port of the API server
    needs to be reachable from here. kubeadm's certificates name 127.0.0.1, so the tunnel's end is verified like any.
    """

    def __init__(self, connections: Connections, leader: str, *, port: int = 6443) -> None:
        self._connections = connections
        self._leader = leader
        self._port = port
        self._lock = threading.Lock()
        self._kube: Kube | None = None
        self._tunnel = contextlib.ExitStack()
        self._document: Mapping[str, Any] | None = None

    @staticmethod
    def warm() -> None:
        """Load the client, which takes a tenth of a second, while the hosts are still being asked."""
        threading.Thread(target=_load, daemon=True).start()

    def kubeconfig(self) -> Mapping[str, Any]:
        """Read admin.conf of the leader; raises KubeError when there is none."""
        if self._document is None:
            with self._connections.use(self._leader) as connector:
                answer = connector.run(["cat", ADMIN_CONF])
            if not answer.ok:
                raise KubeError(f"{self._leader}: no {ADMIN_CONF}", hint="is this host the leader of a cluster?")
            self._document = yaml.safe_load(answer.text)
        return self._document or {}

    def open(self) -> Kube:
        """Give the API; raises KubeError. The way to it is made anew where the connection was lost meanwhile."""
        with self._lock:
            if self._kube is not None:
                self._reconnect()
            else:
                document = self.kubeconfig()
                host, port = self._dig()
                server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
                stop = self._connections.interruption
                self._kube = Kube.from_kubeconfig(document, server=server, interruption=stop)
            return self._kube

    def renew(self) -> None:
        """Read the kubeconfig anew when it is next needed: its certificate has changed."""
        self.close()
        self._document = None

    def _reconnect(self) -> None:
        """See that the leader is connected: the tunnel leads through its connection, whichever that is by now."""
        try:
            with self._connections.use(self._leader) as connector:
                connector.connect()
        except ConnectError as error:
            raise KubeError(f"the API server cannot be reached: {error.message}", hint=error.hint) from error

    def _dig(self) -> tuple[str, int]:
        try:
            with self._connections.use(self._leader) as connector:
                return self._tunnel.enter_context(connector.forward(self._leader, self._port))
        except ConnectError as error:
            raise KubeError(f"the API server does not answer: {error.message}", hint=error.hint) from error

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        with self._lock:
            if self._kube is not None:
                self._kube.close()
                self._kube = None
            self._tunnel.close()


def _load() -> None:
    with contextlib.suppress(Exception):  # whatever it is, it is raised again where the client is used
        importlib.import_module("kubernetes.config")
