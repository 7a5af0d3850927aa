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
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as ends:
        listener.settimeout(_LOOK)
        done = threading.Event()
        thread = threading.Thread(target=_listen, args=(listener, open_tunnel, done, ends), daemon=True)
        thread.start()
        try:
            host, port = listener.getsockname()[:2]
            yield host, port
        finally:
            done.set()
            thread.join()


def _listen(
    listener: socket.socket, open_tunnel: OpenTunnel, done: threading.Event, ends: contextlib.ExitStack
) -> None:
    while not done.is_set():
        try:
            client, origin = listener.accept()
        except TimeoutError:
            continue
        except OSError:
            return
        client.settimeout(None)
        try:
            tunnel = open_tunnel(origin[:2])
        except ConnectError:
            client.close()  # the client meets a closed connection, and says so with more sense than we could here
            continue
        ends.callback(_end, client, tunnel)
        for pump in (_upwards, _downwards):
            threading.Thread(target=pump, args=(client, tunnel), daemon=True).start()


def _upwards(client: socket.socket, tunnel: Tunnel) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := client.recv(_READ):
            tunnel.sendall(data)
        tunnel.shutdown_write()


def _downwards(client: socket.socket, tunnel: Tunnel) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := tunnel.recv(_READ):
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)


def _end(client: socket.socket, tunnel: Tunnel) -> None:
    with contextlib.suppress(OSError, EOFError):
        client.shutdown(socket.SHUT_RDWR)
    client.close()
    with contextlib.suppress(OSError, EOFError):
        tunnel.close()
