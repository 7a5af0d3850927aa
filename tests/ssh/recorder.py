"""A server that writes down every secret it is given: what a thief in between would have got."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

__all__ = ["Recorder", "recorder"]


@dataclass
class Recorder(paramiko.ServerInterface):
    """Refuse every login, and keep what was tried."""

    port: int
    got: list[str] = field(default_factory=list)

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "publickey,password,keyboard-interactive"

    def check_auth_password(self, username: str, password: str) -> int:
        self.got.append(f"password {username} {password}")
        return paramiko.common.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.got.append(f"publickey {username} {key.get_name()}")
        return paramiko.common.AUTH_FAILED


@contextlib.contextmanager
def recorder(host_key: Path) -> Iterator[Recorder]:
    """Serve on loopback while the block runs."""
    key = paramiko.PKey.from_path(host_key)
    transports: list[paramiko.Transport] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Recorder(port=listener.getsockname()[1])

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    transport = paramiko.Transport(peer)
                    transports.append(transport)
                    transport.add_server_key(key)
                    transport.start_server(event=threading.Event(), server=made)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for transport in transports:
                transport.close()
