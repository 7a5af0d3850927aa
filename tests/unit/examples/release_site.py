"""A release site on loopback: files by path, and faults that real sites have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class ReleaseSite:
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: dict[str, int] = field(default_factory=dict)  # path → bytes sent at the first time of asking
    ignores_ranges: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Range header
    url: str = ""


@contextmanager
def serving(site: ReleaseSite) -> Iterator[ReleaseSite]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(site, self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def _answer(site: ReleaseSite, handler: BaseHTTPRequestHandler) -> None:
    asked_range = handler.headers.get("Range", "")
    site.asked.append((handler.path, asked_range))
    content = site.files.get(handler.path)
    if content is None:
        handler.send_error(404)
        return
    start = 0 if site.ignores_ranges else int(asked_range.removeprefix("bytes=").removesuffix("-") or 0)
    if start > len(content) or (start and start == len(content)):
        handler.send_error(416)
        return
    handler.send_response(206 if start else 200)
    handler.send_header("Content-Length", str(len(content) - start))
    handler.end_headers()
    handler.wfile.write(content[start : site.cut_after.pop(handler.path, None)])
