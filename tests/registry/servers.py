"""Real registries as plain processes on loopback: the distribution project's, and what gives out tokens for it."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import bcrypt
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sealpy.connectors.secret import Secret
from sealpy.image.remote.credentials import Credential
from tests.certificates import self_signed

__all__ = ["KINDS", "USER", "Distribution", "go_tool", "serving"]

KINDS = ("plain", "tls", "basic", "token", "debian")
USER = Credential("ann", Secret("correct horse battery"))
_GO_TOOL = Path(__file__).parents[2] / ".ci" / "go-tool"


def go_tool(name: str) -> str:
    """Give the path of a program that is built from its Go module, once."""
    return subprocess.run([_GO_TOOL, name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def debian_registry() -> str:
    """Give the path of the registry that Debian packs, an older one: unpacked, since installing it would begin it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sealpy" / "tools"
    there = cache / "docker-registry-debian"
    if not there.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            subprocess.run(["apt-get", "download", "docker-registry"], cwd=work, check=True, capture_output=True)
            [package] = Path(work).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", package, Path(work, "x")], check=True)
            Path(work, "x").rename(there)
    return str(there / "usr" / "bin" / "docker-registry")


def _program(kind: str) -> str:
    return debian_registry() if kind == "debian" else go_tool("registry")


@dataclass(frozen=True, slots=True)
class Distribution:
    """Know a running registry: its address, where it keeps its bytes, its authority, and whether it wants USER."""

    kind: str
    address: str
    root: Path
    authority: Path | None

    @property
    def locked(self) -> bool:
        return self.kind in {"basic", "token"}

    def auth_file(self, path: Path) -> Path:
        """Write a file of logins that opens it."""
        text = base64.b64encode(f"{USER.user}:{USER.password.reveal()}".encode()).decode()
        path.write_text(json.dumps({"auths": {self.address: {"auth": text}} if self.locked else {}}))
        return path


@contextmanager
def serving(kind: str, directory: Path) -> Iterator[Distribution]:
    """Run a registry of one of KINDS while the block runs."""
    directory.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{_free_port()}"
    root = directory / "data"
    config: dict[str, Any] = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(root)}, "delete": {"enabled": True}},
        "http": {"addr": address},
        "log": {"level": "error", "accesslog": {"disabled": True}},
    }
    authority = None
    with _token_server(directory) as (realm, bundle):
        match kind:
            case "tls":
                authority, key = _certificate(directory)
                config["http"]["tls"] = {"certificate": str(authority), "key": str(key)}
            case "basic":
                line = bcrypt.hashpw(USER.password.reveal().encode(), bcrypt.gensalt(4)).decode()
                (directory / "htpasswd").write_text(f"{USER.user}:{line}\n")
                config["auth"] = {"htpasswd": {"realm": "test", "path": str(directory / "htpasswd")}}
            case "token":
                given = {"realm": realm, "service": "test", "issuer": "test", "rootcertbundle": str(bundle)}
                config["auth"] = {"token": given}
        path = directory / "config.yml"
        path.write_text(yaml.safe_dump(config))
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen([_program(kind), "serve", path], stdout=log, stderr=log)
        try:
            _wait(address, process, directory / "log")
            yield Distribution(kind, address, root, authority)
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + 100
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the registry does not answer: {log.read_text()}")


# ---- certificates and tokens


def _certificate(directory: Path) -> tuple[Path, Path]:
    """Write a certificate that is its own authority, and its key."""
    certificate, private = directory / "certificate.pem", directory / "key.pem"
    made, key = self_signed(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    certificate.write_bytes(made)
    private.write_bytes(key)
    return certificate, private


class _Tokens(ThreadingHTTPServer):
    daemon_threads = True
    key: rsa.RSAPrivateKey
    chain: str


class _TokenHandler(BaseHTTPRequestHandler):
    server: _Tokens

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
        """Say nothing."""

    def do_GET(self) -> None:
        """Give whoever is USER what is asked for, others nothing."""
        wanted = base64.b64encode(f"{USER.user}:{USER.password.reveal()}".encode()).decode()
        given = self.headers.get("Authorization", "")
        if given and given != f"Basic {wanted}":
            self.send_response(401)
            self.end_headers()
            return
        query = parse_qs(urlsplit(self.path).query)
        scopes = query.get("scope", []) if given else []
        body = json.dumps({"token": self._token(scopes), "expires_in": 60}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _token(self, scopes: list[str]) -> str:
        access = []
        for scope in (one for text in scopes for one in text.split()):
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        claims = {
            "iss": "test", "sub": USER.user, "aud": "test", "jti": str(now),
            "exp": now + 60, "nbf": now - 10, "iat": now, "access": access,
        }  # fmt: skip
        head = {"typ": "JWT", "alg": "RS256", "x5c": [self.server.chain]}
        text = f"{_coded(json.dumps(head).encode())}.{_coded(json.dumps(claims).encode())}"
        return f"{text}.{_coded(self.server.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def _token_server(directory: Path) -> Iterator[tuple[str, Path]]:
    """Give out tokens while the block runs; gives where, and the certificate of who signs them."""
    (directory / "tokens").mkdir()
    certificate, private = _certificate(directory / "tokens")
    server = _Tokens(("127.0.0.1", 0), _TokenHandler)
    key = serialization.load_pem_private_key(private.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    server.key = key
    der = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
    server.chain = base64.b64encode(der).decode()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token", certificate
    finally:
        server.shutdown()
        server.server_close()
