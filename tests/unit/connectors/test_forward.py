from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from sealpy.connectors.forward import forwarded
from sealpy.errors import ConnectError


class Echo:
    """Be the far end of a tunnel that says everything back."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._far.recv(1024):
                self._far.sendall(data)
            self._far.shutdown(socket.SHUT_WR)

    def recv(self, nbytes: int, /) -> bytes:
        return self._near.recv(nbytes)

    def sendall(self, data: bytes, /) -> None:
        self._near.sendall(data)

    def shutdown_write(self) -> None:
        self._near.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._near.shutdown(socket.SHUT_RDWR)
            self._far.shutdown(socket.SHUT_RDWR)
        self._near.close()
        self._far.close()


@pytest.fixture
def local() -> Iterator[tuple[str, int]]:
    with forwarded(lambda _origin: Echo()) as address:
        yield address


def test_connections_are_carried_side_by_side(local: tuple[str, int]) -> None:
    with socket.create_connection(local) as one, socket.create_connection(local) as two:
        one.sendall(b"one")
        two.sendall(b"two")

        assert (two.recv(16), one.recv(16)) == (b"two", b"one")


def test_the_end_of_what_is_said_is_carried_too(local: tuple[str, int]) -> None:
    with socket.create_connection(local) as peer:
        peer.sendall(b"all")
        peer.shutdown(socket.SHUT_WR)

        assert peer.makefile("rb").read() == b"all"


def test_it_listens_on_this_machine_alone(local: tuple[str, int]) -> None:
    assert local[0] == "127.0.0.1"


def test_open_connections_end_with_it() -> None:
    with forwarded(lambda _origin: Echo()) as local:
        peer = socket.create_connection(local)
        peer.sendall(b"x")
        assert peer.recv(1) == b"x"

    with peer:
        peer.settimeout(10)
        assert peer.recv(1) == b""


def test_a_refusal_is_raised_before_anybody_connects() -> None:
    def refuse(_origin: tuple[str, int]) -> Echo:
        raise ConnectError("10.0.0.1", "cannot reach 10.0.0.1:6443 from there")

    with pytest.raises(ConnectError, match="cannot reach"), forwarded(refuse):
        pass


def test_a_refusal_later_closes_that_connection_alone() -> None:
    answers: Iterator[Echo | ConnectError] = iter([Echo(), ConnectError("10.0.0.1", "cannot reach it now"), Echo()])

    def sometimes(_origin: tuple[str, int]) -> Echo:
        answer = next(answers)
        if isinstance(answer, ConnectError):
            raise answer
        return answer

    with forwarded(sometimes) as local:
        with socket.create_connection(local) as refused:
            assert refused.recv(1) == b""
        with socket.create_connection(local) as carried:
            carried.sendall(b"x")
            assert carried.recv(1) == b"x"
