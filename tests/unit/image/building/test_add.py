"""ADD and APP of URLs and archives, through a whole build, against a server on loopback."""

from __future__ import annotations

import gzip
import hashlib
import io
import ssl
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sealpy.errors import DigestMismatchError, KubefileError
from sealpy.events import Event, Warned
from sealpy.image.building.build import build
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference
from sealpy.image.remote.tls import Tls
from sealpy.image.store import Store
from tests.certificates import speaking_tls

CONTENT = b"downloaded\n"
SUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class FileServer:
    """Serve files by path, and say what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/dir/tool.tar.gz": CONTENT, "/app.yaml": b"a: 1\n"}
        self.moved: dict[str, str] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        if to := self.moved.get(handler.path):
            handler.send_response(302)
            handler.send_header("Location", to)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        data = self.files.get(handler.path)
        if data is None:
            handler.send_error(404)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:3] if handler.path in self.cut else data)


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[FileServer]:
    files = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        files.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield files
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as files:
        yield files


class Site:
    def __init__(self, root: Path) -> None:
        self.context = root / "context"
        self.context.mkdir()
        self.store = Store(root / "images")
        self.events: list[Event] = []

    def build(self, *lines: str, **options: Any) -> ClusterImage:
        self.events.clear()
        (self.context / "Kubefile").write_text("\n".join(("FROM scratch", *lines)) + "\n")
        wish = Wish(kubefile=self.context / "Kubefile", context=self.context, tag=Reference.parse("x:1"), **options)
        return build(wish, store=self.store, emit=self.events.append).images[0]

    def warnings(self) -> list[tuple[str, str]]:
        return [(event.message, event.hint) for event in self.events if isinstance(event, Warned)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def files(image: ClusterImage) -> dict[str, bytes]:
    return {path: image.read(path) for path, entry in image.files.items() if entry.kind == "file"}


def test_a_url_is_fetched_verified_and_not_unpacked(site: Site, server: FileServer) -> None:
    image = site.build(f"ADD --checksum={SUM} --chmod=755 {server.url}/dir/tool.tar.gz cri/")
    assert files(image) == {"cri/tool.tar.gz": CONTENT}
    assert image.files["cri/tool.tar.gz"].mode == 0o755
    assert site.warnings() == []


def test_what_is_known_by_its_checksum_is_not_fetched_again_unless_told_to(site: Site, server: FileServer) -> None:
    line = f"ADD --checksum={SUM} {server.url}/dir/tool.tar.gz cri/"
    first = site.build(line)
    assert site.build(line).digest == first.digest
    assert len(server.asked) == 1
    assert site.build(line, caching="renew").digest == first.digest
    assert len(server.asked) == 2
    assert files(site.build(f"ADD --checksum={SUM} {server.url}/dir/tool.tar.gz elsewhere")) == {"elsewhere": CONTENT}


def test_a_url_without_a_checksum_is_taken_with_a_word_on_how_to_pin_it(site: Site, server: FileServer) -> None:
    url = f"{server.url}/dir/tool.tar.gz"
    assert files(site.build(f"ADD {url} bin/tool")) == {"bin/tool": CONTENT}
    [(message, hint)] = site.warnings()
    assert message.endswith(f"Kubefile:2: '{url}' may hold other bytes tomorrow; today they are {SUM}")
    assert hint == f"write ADD --checksum={SUM}"
    server.files["/dir/tool.tar.gz"] = b"other"
    assert files(site.build(f"ADD {url} bin/tool")) == {"bin/tool": b"other"}, "it was asked for again"


def test_other_bytes_than_the_checksum_says_are_refused(site: Site, server: FileServer) -> None:
    server.files["/dir/tool.tar.gz"] = b"evil"
    with pytest.raises(DigestMismatchError, match=r"Kubefile:2: http.*: its bytes are sha256:b5c1.*, not ") as caught:
        site.build(f"ADD --checksum={SUM} {server.url}/dir/tool.tar.gz cri/")
    assert caught.value.hint
    assert site.store.images() == ()


def test_a_redirect_is_followed(site: Site, server: FileServer) -> None:
    server.moved["/latest"] = "/dir/tool.tar.gz"
    assert files(site.build(f"ADD --checksum={SUM} {server.url}/latest bin/")) == {"bin/latest": CONTENT}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("ADD {0}/none x", "Kubefile:2: {0}/none: the server answers 404 not found"),
        ("ADD {0}/ bin/", "Kubefile:2: ADD: '{0}/' names no file"),
        ("ADD {0}/cut x", "Kubefile:2: {0}/cut: "),
        ("ADD {0}/circle x", "redirects in a circle"),
        ("APP x {0}/", "Kubefile:2: APP x: '{0}/' names no file"),
        ("APP x {0}/none", "Kubefile:2: {0}/none: the server answers 404 not found"),
    ],
)
def test_what_cannot_be_fetched_is_told_with_its_place(site: Site, server: FileServer, line: str, text: str) -> None:
    server.files["/cut"] = b"x" * 1000
    server.cut.add("/cut")
    server.moved["/circle"] = "/circle"
    with pytest.raises(KubefileError) as caught:
        site.build(line.format(server.url))
    assert text.format(server.url) in caught.value.message
    assert caught.value.hint
    work = site.store.root / "work"  # what is seen beforehand needs none
    assert not work.exists() or list(work.iterdir()) == []


def test_a_server_that_is_not_there_is_told_with_its_place(site: Site) -> None:
    with serving() as gone:
        pass
    with pytest.raises(KubefileError, match=r"Kubefile:2: http.*no answer from '127\.0\.0\.1:\d+'"):
        site.build(f"ADD {gone.url}/x y")


def test_an_app_may_come_from_a_url(site: Site, server: FileServer) -> None:
    image = site.build(f"APP shop {server.url}/app.yaml", 'LAUNCH ["shop"]')
    assert files(image) == {"application/apps/shop/app.yaml": b"a: 1\n"}
    assert [command.command for command in image.metadata.launch_commands()] == ["kubectl apply -f app.yaml"]
    assert "ADD --checksum=sha256:" in site.warnings()[0][1]


def test_https_is_spoken_to_servers_whose_certificate_is_trusted(site: Site, tmp_path: Path) -> None:
    line = f"ADD --checksum={SUM} {{}}/dir/tool.tar.gz cri/"
    with serving(speaking_tls(tmp_path / "server.pem")) as server:
        with pytest.raises(KubefileError, match="certificate verify failed"):
            site.build(line.format(server.url))
        for tls in (Tls(ca=tmp_path / "server.pem"), Tls(insecure=True)):
            image = site.build(line.format(server.url), tls=tls, caching="renew")
            assert files(image) == {"cri/tool.tar.gz": CONTENT}
        assert server.asked == ["/dir/tool.tar.gz"] * 2


def test_an_address_without_tls_is_not_led_to_from_one_with_it(site: Site, server: FileServer, tmp_path: Path) -> None:
    other = server.url.replace("127.0.0.1", "198.51.100.1")
    with serving(speaking_tls(tmp_path / "server.pem")) as safe:
        safe.moved["/x"] = f"{other}/app.yaml"
        with pytest.raises(KubefileError, match="would be spoken to without TLS"):
            site.build(f"ADD {safe.url}/x y", tls=Tls(ca=tmp_path / "server.pem"))


def test_an_archive_of_the_context_is_unpacked_and_copy_leaves_it_whole(site: Site) -> None:
    packed = archive({"bin/tool": b"#!", "etc/x": b"x"})
    (site.context / "all.tgz").write_bytes(packed)
    assert files(site.build("ADD all.tgz opt")) == {"opt/bin/tool": b"#!", "opt/etc/x": b"x"}
    assert files(site.build("ADD all.tgz /")) == {"bin/tool": b"#!", "etc/x": b"x"}
    assert files(site.build("COPY all.tgz opt/")) == {"opt/all.tgz": packed}
    (site.context / "notes").write_text("n")
    assert files(site.build("ADD all.tgz notes <<more opt/", "m", "more")) == {
        "opt/bin/tool": b"#!",
        "opt/etc/x": b"x",
        "opt/notes": b"n",
        "opt/more": b"m\n",
    }


def test_owner_and_mode_hold_for_what_an_archive_holds_too(site: Site) -> None:
    (site.context / "all.tgz").write_bytes(archive({"bin/tool": b"#!"}))
    image = site.build("ADD --chown=7:8 --chmod=750 all.tgz opt")
    entry = image.files["opt/bin/tool"]
    assert (entry.uid, entry.gid, entry.mode) == (7, 8, 0o750)


def test_an_archive_that_leads_out_is_refused_with_its_place(site: Site) -> None:
    (site.context / "bad.tgz").write_bytes(archive({"../x": b"1"}))
    with pytest.raises(KubefileError, match=r"Kubefile:2: ADD: .*bad\.tgz: member '\.\./x' leads out"):
        site.build("ADD bad.tgz opt")


def test_the_mode_of_a_directory_that_is_there_stays(site: Site) -> None:
    (site.context / "a").write_text("a")
    image = site.build("COPY --chmod=700 --chown=3 . closed", "COPY a closed/more/b")
    assert (image.files["closed"].mode, image.files["closed"].uid) == (0o700, 3)


def archive(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.uid = len(data), 1001
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue())
