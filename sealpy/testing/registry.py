"""A small image registry on loopback that keeps everything in memory, and misbehaves when it is told to."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["FakeRegistry", "Fault", "Seen"]

_CLIENT_HELLO = b"\x16"
_PATH = re.compile(r"/v2/(?P<repo>[a-z0-9._/-]+?)/(?P<kind>manifests|blobs|tags|referrers)/(?P<rest>.+)")


@dataclass(slots=True)
class Fault:
    """Say what goes wrong at requests that match `on`, such as `GET .*/blobs/`, and how often.

    With a status the answer is that status. `cut` ends the connection after so many bytes of the body, in or out.
    `body` stands in for the true one, with `length` as what the header says of it.
    """

    on: str
    times: int = 1
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    length: int | None = None
    cut: int | None = None
    at_least: int = 0  # bytes that the body of the request must have


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold one request that came, and how many bytes of a body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: int

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class FakeRegistry:
    """Serve the distribution protocol on 127.0.0.1; made by `FakeRegistry.running`."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.holders: dict[str, set[str]] = {}  # which repositories have a blob
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.uploads: dict[str, bytearray] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.login: tuple[str, str] | None = None  # basic: user and password
        self.challenge: str = ""  # bearer: what a request without the token is answered
        self.token: str = ""
        self.has_referrers = True
        self.has_ranges = True
        self.page = 0  # tags on one page; 0 for all
        self.address = ""
        self.lock = threading.Lock()

    @classmethod
    @contextmanager
    def running(cls, *, tls: ssl.SSLContext | None = None) -> Iterator[FakeRegistry]:
        """Serve while the block runs."""
        registry = cls()
        server = _Server(("127.0.0.1", 0), _Handler)
        server.registry = registry
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        registry.address = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def fault(self, question: str, length: int) -> Fault | None:
        """Find what goes wrong now at a request with a body of this length."""
        with self.lock:
            for fault in self.faults:
                if fault.times and length >= fault.at_least and re.match(fault.on, question):
                    fault.times -= 1
                    return fault
        return None

    def put_blob(self, repository: str, data: bytes) -> str:
        """Have a blob from the beginning."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        self.holders.setdefault(digest, set()).add(repository)
        return digest

    def put_manifest(self, repository: str, reference: str, data: bytes, *, media_type: str) -> str:
        """Have a manifest under a tag and its digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.manifests[repository, digest] = self.manifests[repository, reference] = (media_type, data)
        return digest

    def asked(self, pattern: str) -> list[Seen]:
        """List the requests that match, such as `HEAD .*/blobs/`."""
        return [seen for seen in self.seen if re.match(pattern, str(seen))]


class _Server(ThreadingHTTPServer):
    registry: FakeRegistry
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that are cut off are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        """Hang up on whoever speaks TLS to a server without it, as those of Go do."""
        plain = not isinstance(self.connection, ssl.SSLSocket)
        if plain and self.connection.recv(1, socket.MSG_PEEK) == _CLIENT_HELLO:
            self.connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return
        super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - likewise

    # -- the frame ----------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        registry = self.server.registry
        fault = registry.fault(f"{self.command} {self.path}", int(self.headers.get("Content-Length") or 0))
        body = self._body(fault)
        registry.seen.append(Seen(self.command, self.path, dict(self.headers.items()), len(body)))
        cut_in = fault is not None and fault.cut is not None and self.command in {"PATCH", "PUT"}
        if fault and fault.status:
            self._answer(fault.status, fault.body or b"", dict(fault.headers))
        elif not self._let_in():
            headers = {"WWW-Authenticate": registry.challenge or 'Basic realm="fake"'}
            self._refuse(401, "UNAUTHORIZED", "authentication required", headers)
        else:
            self._route(body, fault)
        if cut_in:
            self.close_connection = True

    def _body(self, fault: Fault | None) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if fault and fault.cut is not None and self.command in {"PATCH", "PUT"}:
            length = min(length, fault.cut)
        return self.rfile.read(length)

    def _let_in(self) -> bool:
        registry, given = self.server.registry, self.headers.get("Authorization", "")
        if registry.challenge:
            return given == f"Bearer {registry.token}"
        if registry.login:
            return given == f"Basic {base64.b64encode(':'.join(registry.login).encode()).decode()}"
        return True

    def _route(self, body: bytes, fault: Fault | None) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/v2/":
            self._answer(200, b"{}")
            return
        found = _PATH.fullmatch(parts.path)
        if not found:
            self._refuse(404, "NAME_UNKNOWN", "no such place")
            return
        repository, kind, rest = found["repo"], found["kind"], found["rest"]
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        match kind:
            case "manifests":
                self._manifest(repository, rest, body, fault)
            case "blobs" if rest.startswith("uploads"):
                self._upload(repository, rest.removeprefix("uploads/"), query, body, fault)
            case "blobs":
                self._blob(repository, rest, fault)
            case "tags":
                self._tags(repository, query)
            case _:
                self._referrers(repository, rest)

    def _answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, fault: Fault | None = None
    ) -> None:
        data = body if fault is None or fault.body is None else fault.body
        length = len(data) if fault is None or fault.length is None else fault.length
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if length >= 0:
            self.send_header("Content-Length", str(length))
        else:  # nobody is told how much comes
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault and fault.cut is not None:
            self.close_connection = True
            data = data[: fault.cut]
        elif length > len(data):
            self.close_connection = True
        self.wfile.write(data)

    def _refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        told = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self._answer(status, told, {"Content-Type": "application/json", **(headers or {})})

    # -- the protocol -------------------------------------------------------------------------------------------------

    def _manifest(self, repository: str, reference: str, body: bytes, fault: Fault | None) -> None:
        registry = self.server.registry
        if self.command == "PUT":
            media_type = self.headers.get("Content-Type", "")
            digest = registry.put_manifest(repository, reference, body, media_type=media_type)
            headers = {"Docker-Content-Digest": digest}
            subject = json.loads(body).get("subject")
            if subject and registry.has_referrers:
                headers["OCI-Subject"] = subject["digest"]
            self._answer(201, headers=headers)
        elif (repository, reference) in registry.manifests:
            media_type, data = registry.manifests[repository, reference]
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            self._answer(200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest}, fault)
        else:
            self._refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def _blob(self, repository: str, digest: str, fault: Fault | None) -> None:
        registry = self.server.registry
        if repository not in registry.holders.get(digest, ()):
            self._refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        data = registry.blobs[digest]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and registry.has_ranges:
            start = int(asked[1])
            headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            self._answer(206, data[start:], headers, fault)
        else:
            self._answer(200, data, fault=fault)

    def _upload(self, repository: str, upload: str, query: Mapping[str, str], body: bytes, fault: Fault | None) -> None:
        registry = self.server.registry
        if self.command == "POST":
            if query.get("from") in registry.holders.get(query.get("mount", ""), ()):
                registry.holders[query["mount"]].add(repository)
                self._answer(201)
                return
            upload = str(uuid.uuid4())
            registry.uploads[upload] = bytearray()
        if upload not in registry.uploads:
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")
            return
        held = registry.uploads[upload]
        if self.command == "PATCH" and not self._fits(held):
            self._refuse(416, "RANGE_INVALID", "out of order")
            return
        held += body
        if fault and fault.cut is not None:
            return
        if self.command != "PUT":
            place = f"/v2/{repository}/blobs/uploads/{upload}"
            headers = {"Location": place, "Range": f"0-{max(len(held) - 1, 0)}"}
            self._answer(204 if self.command == "GET" else 202, headers=headers)
        elif f"sha256:{hashlib.sha256(held).hexdigest()}" != query.get("digest"):
            self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        else:
            registry.put_blob(repository, bytes(held))
            del registry.uploads[upload]
            self._answer(201)

    def _fits(self, held: bytearray) -> bool:
        asked = re.fullmatch(r"(\d+)-(\d+)", self.headers.get("Content-Range", ""))
        return not asked or int(asked[1]) == len(held)

    def _tags(self, repository: str, query: Mapping[str, str]) -> None:
        registry = self.server.registry
        tags = sorted(tag for name, tag in registry.manifests if name == repository and ":" not in tag)
        if not tags:
            self._refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
            return
        headers = {}
        tags = [tag for tag in tags if tag > query.get("last", "")]
        if registry.page and len(tags) > registry.page:
            tags = tags[: registry.page]
            headers["Link"] = f'</v2/{repository}/tags/list?last={tags[-1]}>; rel="next"'
        self._answer(200, json.dumps({"name": repository, "tags": tags}).encode(), headers)

    def _referrers(self, repository: str, digest: str) -> None:
        registry = self.server.registry
        if not registry.has_referrers:
            self._refuse(404, "UNSUPPORTED", "not here")
            return
        found: list[dict[str, Any]] = []
        for (name, reference), (media_type, data) in registry.manifests.items():
            document = json.loads(data)
            if name == repository and ":" in reference and (document.get("subject") or {}).get("digest") == digest:
                artifact = document.get("artifactType") or document["config"]["mediaType"]
                entry = {"mediaType": media_type, "digest": reference, "size": len(data), "artifactType": artifact}
                found.append(entry)
        index: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": found,
        }
        self._answer(200, json.dumps(index).encode(), {"Content-Type": index["mediaType"]})
