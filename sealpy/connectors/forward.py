"""A local port that leads, through a connection, to an address the machine at its end can reach."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from typing import Protocol

from sealpy.errors import ConnectError

__all__ = ["Tunnel", "forwarded"]

_READ = 64 * 1024
_LOOK = 0.2  # seconds until the listener sees that it is no longer wanted


class Tunnel(Protocol):
    """Be the far end of one forwarded connection, such as a channel of SSH."""

    def recv(self, nbytes: int, /) -> bytes:
        """Give the next bytes, none at the end."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Write all bytes."""
        ...

    def shutdown_write(self) -> None:
        """Say that nothing more will be written."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


OpenTunnel = Callable[[tuple[str, int]], Tunnel]


@contextlib.contextmanager
def forwarded(open_tunnel: OpenTunnel) -> Generator[tuple[str, int]]:
    """Listen on 127.0.0.1 while the block runs, each connection through a tunnel of its own; gives address and port.

    One tunnel is tried first, so that a refusal is raised here (what `open_tunnel` raises) and not met as a reset
    connection later. When the block ends, the connections end with it.
    """
    open_tunnel(("127.0.0.1", 0)).close()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        forwarder = _Forwarder(listener, open_tunnel)
        thread = threading.Thread(target=forwarder.listen, daemon=True)
        thread.start()
        try:
            host, port = listener.getsockname()[:2]
            yield host, port
        finally:
            forwarder.stop()
            thread.join()


class _Forwarder:
    """Carry connections until it is told to stop."""

    def __init__(self, listener: socket.socket, open_tunnel: OpenTunnel) -> None:
        self._listener = listener
        self._open_tunnel = open_tunnel
        self._stopped = threading.Event()
        self._carried: dict[socket.socket, Tunnel] = {}
        self._guard = threading.Lock()
        listener.settimeout(_LOOK)

    def listen(self) -> None:
        """Take connections, each carried by threads of its own."""
        while not self._stopped.is_set():
            try:
                client, origin = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            client.settimeout(None)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer in two pieces would wait 40 ms
            threading.Thread(target=self._carry, args=(client, origin[:2]), daemon=True).start()

    def stop(self) -> None:
        """Take no more connections and end those that are carried."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # on Linux this wakes who listens
        with self._guard:
            for client, tunnel in self._carried.items():
                with contextlib.suppress(OSError, EOFError):
                    client.shutdown(socket.SHUT_RDWR)
                with contextlib.suppress(OSError, EOFError):
                    tunnel.close()

    def _carry(self, client: socket.socket, origin: tuple[str, int]) -> None:
        with client:
            try:
                tunnel = self._open_tunnel(origin)
            except ConnectError:
                return  # the client meets a closed connection, and says so with more sense than we could here
            with contextlib.closing(tunnel):
                with self._guard:
                    self._carried[client] = tunnel
                upwards = threading.Thread(target=_upwards, args=(client, tunnel), daemon=True)
                upwards.start()
                _downwards(client, tunnel)
                upwards.join()
            with self._guard:
                del self._carried[client]


def _upwards(client: socket.socket, tunnel: Tunnel) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := client.recv(_READ):
            tunnel.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        tunnel.shutdown_write()


def _downwards(client: socket.socket, tunnel: Tunnel) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := tunnel.recv(_READ):
            client.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        client.shutdown(socket.SHUT_WR)
