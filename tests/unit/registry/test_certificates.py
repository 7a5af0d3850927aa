from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from sealpy.registry import Authority


def shake_hands(tmp_path: Path, server: Authority, trusted: bytes, name: str) -> None:
    """Let a client that trusts only `trusted` call a server by `name`; raises ssl.SSLError when it refuses."""
    (tmp_path / "crt").write_bytes(server.certificate)
    (tmp_path / "key").write_bytes(server.key)
    offers = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offers.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    trusts = ssl.create_default_context(cadata=trusted.decode())
    trusts.verify_flags |= ssl.VERIFY_X509_STRICT
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            offers.wrap_socket(left, server_side=True).close()
        except (ssl.SSLError, OSError):
            left.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with trusts.wrap_socket(right, server_hostname=name):
            pass
    finally:
        right.close()
        thread.join()


@pytest.mark.parametrize("name", ["sea.hub", "10.0.0.1", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_accepts_the_server_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    authority = Authority.create("shop")
    server = authority.issue(dns=["sea.hub"], ips=["10.0.0.1", "127.0.0.1"])
    shake_hands(tmp_path, server, authority.certificate, name)


def test_a_client_refuses_another_name_and_another_authority(tmp_path: Path) -> None:
    authority = Authority.create("shop")
    server = authority.issue(dns=["sea.hub"], ips=[])
    with pytest.raises(ssl.SSLError):
        shake_hands(tmp_path, server, authority.certificate, "other.hub")
    with pytest.raises(ssl.SSLError):
        shake_hands(tmp_path, server, Authority.create("shop").certificate, "sea.hub")


def test_the_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(Authority.create("shop"))
