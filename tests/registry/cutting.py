"""A way to a registry that is cut: after so many bytes, as often as one likes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Way", "cutting"]


@dataclass(slots=True)
class Way:
    """Know where the way begins, what has passed, and at how many bytes of one direction it is cut next."""

    address: str
    up_cuts: list[int] = field(default_factory=list)
    down_cuts: list[int] = field(default_factory=list)
    up: int = 0
    down: int = 0
    pause: float = 0.0  # seconds after each 64 KiB that come down
    up_pause: float = 0.0  # likewise up


@contextmanager
def cutting(address: str) -> Iterator[Way]:
    """Lead connections to a registry while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        way = Way(f"127.0.0.1:{server.getsockname()[1]}")
        accepting = threading.Thread(target=_accept, args=(server, way, address), daemon=True)
        accepting.start()
        yield way
        server.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(server: socket.socket, way: Way, address: str) -> None:
    host, _, port = address.partition(":")
    with contextlib.suppress(OSError):
        while True:
            near, _ = server.accept()
            threading.Thread(target=_connect, args=(near, (host, int(port)), way), daemon=True).start()


def _connect(near: socket.socket, address: tuple[str, int], way: Way) -> None:
    with near, socket.create_connection(address) as far:
        down = threading.Thread(target=_lead, args=(far, near, way, "down"), daemon=True)
        down.start()
        _lead(near, far, way, "up")
        down.join()


def _lead(source: socket.socket, target: socket.socket, way: Way, direction: str) -> None:
    passed, cuts = 0, way.up_cuts if direction == "up" else way.down_cuts
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            if cuts and passed + len(piece) > cuts[0]:
                target.sendall(piece[: max(0, cuts.pop(0) - passed)])
                break
            passed += len(piece)
            setattr(way, direction, getattr(way, direction) + len(piece))
            target.sendall(piece)
            time.sleep(way.pause if direction == "down" else way.up_pause)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
