"""Images that lie, lead out, or are made to fill a disk: each is refused by name, and the store stays valid."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sealpy.errors import DigestMismatchError, ImageError
from sealpy.image import tar_entries as tar_entries_module
from sealpy.image.archive.load import load
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST, digest_of
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.store import layers as layers_module
from sealpy.image.store.check import check
from sealpy.image.tar_entries import MOST_ENTRIES
from sealpy.image.tarball import walk

Member = tuple[str, bytes, bytes, str]
FILE, LINK, HARD, DIR, DEVICE = (
    tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.BLKTYPE,
)  # fmt: skip


def tar(*members: Member) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for name, kind, data, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), link
            out.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


class Maker:
    """Make an OCI layout by hand; `change` spoils the documents before they are written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "blobs" / "sha256").mkdir(parents=True)

    def blob(self, data: bytes, media_type: str, *, name: str = "") -> dict[str, Any]:
        digest = name or digest_of(data)
        (self.path / "blobs" / "sha256" / digest[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def write(self, *layers: bytes, packed: bool = False, change: Callable[[dict[str, Any]], object] = id) -> Path:
        pack, kind = (gzip.compress, OCI_LAYER_GZIP) if packed else (bytes, OCI_LAYER)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [*map(digest_of, layers)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.blob(json.dumps(config).encode(), OCI_CONFIG),
            "layers": [self.blob(pack(layer), kind) for layer in layers],
        }
        change(manifest)
        top = self.blob(json.dumps(manifest).encode(), OCI_MANIFEST)
        top["annotations"] = {"org.opencontainers.image.ref.name": "evil:1"}
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
        return self.path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Have an image already, which must stay what it is."""
    store = Store(tmp_path / "images")
    assemble(store, "good:1", base=None, layers=[write_layer(store, walk({"a": b"1"}))], metadata=Metadata())
    return store


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "evil")


def refused(store: Store, path: Path, *words: str) -> ImageError:
    """Load what must be refused with these words, and find the store as it was."""
    before = store.blobs()
    with pytest.raises(ImageError) as caught:
        load(store, path)
    text = " ".join([caught.value.message, *(problem.message for problem in caught.value.problems)])
    for word in words:
        assert word in text
    assert caught.value.hint, text
    assert check(store).faults == ()
    assert [image.reference.familiar for image in store.images()] == ["good:1"]
    assert ClusterImage.open(store, "good:1").read("a") == b"1"
    assert isinstance(caught.value, DigestMismatchError) or store.blobs() == before
    return caught.value


LAYERS: Mapping[str, tuple[tuple[Member, ...], str]] = {
    "a name that climbs out": ((("../../etc/passwd", FILE, b"x", ""),), "'../../etc/passwd' leads out of the image"),
    "a name that climbs out later": ((("a/../../b", FILE, b"x", ""),), "'a/../../b' leads out of the image"),
    "an absolute name": ((("/etc/passwd", FILE, b"x", ""),), "'/etc/passwd' is an absolute name"),
    "a link that climbs out": ((("a/b", LINK, b"", "../../../etc"),), "a link to '../../../etc', which leads out"),
    "a file behind a link": ((("etc", LINK, b"", "/etc"), ("etc/x", FILE, b"", "")), "'etc/x' stands below 'etc'"),
    "a file behind a link, before it": ((("e/x", FILE, b"", ""), ("e", LINK, b"", "/etc")), "'e/x' stands below 'e'"),
    "a hard link to a file of the host": ((("x", HARD, b"", "/etc/shadow"),), "'/etc/shadow' is an absolute name"),
    "a hard link out of the tree": ((("x", HARD, b"", "../shadow"),), "a hard link to '../shadow'"),
    "a hard link to a directory": ((("d", DIR, b"", ""), ("x", HARD, b"", "d")), "a hard link to 'd'"),
    "a device": ((("dev/sda", DEVICE, b"", ""),), "'dev/sda' is a device"),
    "a name that draws on the screen": ((("a\x1b[2Jb", FILE, b"", ""),), "a control character"),
    "a whiteout of nothing": ((("d/.wh.", FILE, b"", ""),), "hides nothing"),
}


@pytest.mark.parametrize("what", LAYERS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_layer_with_what_must_not_be_in_it_is_refused(what: str, *, packed: bool, store: Store, maker: Maker) -> None:
    members, reason = LAYERS[what]
    data = tar(*members)
    error = refused(store, maker.write(data, packed=packed), reason, digest_of(data))
    assert "from who made it" in error.hint


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Let 1000 entries be the limit, and give a tar of one more; the real limit takes seconds to reach."""
    assert MOST_ENTRIES == 100_000
    monkeypatch.setattr(tar_entries_module, "MOST_ENTRIES", 1000)
    return tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT) * 1001 + bytes(1024)


def test_a_layer_with_too_many_entries_is_refused(store: Store, maker: Maker, few: bytes) -> None:
    refused(store, maker.write(few), "more than 1000 entries")


def test_a_layer_that_unpacks_to_a_full_disk_is_refused(
    store: Store, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers_module, "_HARMLESS", 1 << 20)
    refused(store, maker.write(bytes(64 << 20), packed=True), "bytes that unpack to more than")


def lie_about_size(manifest: dict[str, Any]) -> None:
    manifest["layers"][0]["size"] += 1


def lie_about_the_configuration(manifest: dict[str, Any]) -> None:
    manifest["config"]["size"] = 5


def name_a_missing_layer(manifest: dict[str, Any]) -> None:
    manifest["layers"].append({"mediaType": OCI_LAYER, "digest": digest_of(b"nothing"), "size": 7})


def claim_another_type(manifest: dict[str, Any]) -> None:
    manifest["layers"][0]["mediaType"] = f"{OCI_LAYER}+zstd"


def leave_a_layer_out(manifest: dict[str, Any]) -> None:
    manifest["layers"].pop()


def name_a_file_of_the_host(manifest: dict[str, Any]) -> None:
    manifest["layers"][0]["digest"] = "sha256:../../../etc/passwd"


def have_a_negative_size(manifest: dict[str, Any]) -> None:
    manifest["layers"][0]["size"] = -1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lie_about_size, "as its manifest says"),
        (lie_about_the_configuration, "as its manifest says"),
        (name_a_missing_layer, "missing"),
        (claim_another_type, "cannot be read"),
        (leave_a_layer_out, "as many layers as the manifest"),
        (name_a_file_of_the_host, "not a valid manifest"),
        (have_a_negative_size, "not a valid manifest"),
    ],
)
def test_a_manifest_that_lies_is_refused(
    change: Callable[[dict[str, Any]], object], reason: str, store: Store, maker: Maker
) -> None:
    path = maker.write(tar(("a", FILE, b"1", "")), tar(("b", FILE, b"2", "")), packed=True, change=change)
    error = refused(store, path)
    assert reason.lower() in " ".join([error.message, *(p.message for p in error.problems)]).lower()


@pytest.mark.parametrize("spoil", ["swap", "cut", "flip"])
def test_blobs_that_are_not_what_their_digest_says_are_refused(spoil: str, store: Store, maker: Maker) -> None:
    first, second = tar(("a", FILE, b"1", "")), tar(("b", FILE, b"2", ""))
    path = maker.write(first, second)
    at = [path / "blobs" / "sha256" / digest_of(data)[7:] for data in (first, second)]
    match spoil:
        case "swap":
            at[0].write_bytes(second)
            at[1].write_bytes(first)
        case "cut":
            at[0].write_bytes(first[:-1])
        case _:
            at[0].write_bytes(first[:-1] + b"x")
    refused(store, path, f"blob {digest_of(first)}")


def test_a_manifest_of_another_digest_is_refused(store: Store, maker: Maker) -> None:
    path = maker.write(tar(("a", FILE, b"1", "")))
    entry = json.loads((path / "index.json").read_text())["manifests"][0]
    manifest = path / "blobs" / "sha256" / entry["digest"][7:]
    manifest.write_bytes(manifest.read_bytes().replace(b"amd64", b"arm64") + b" ")
    refused(store, path, entry["digest"])


def test_an_endless_document_is_not_read_into_memory(store: Store, maker: Maker) -> None:
    path = maker.write(tar(("a", FILE, b"1", "")))
    with (path / "index.json").open("ab") as file:
        file.truncate(1 << 34)  # sparse: takes no room on the disk
    refused(store, path, "too long for a document")


def test_a_document_nested_without_end_is_refused(store: Store, maker: Maker) -> None:
    path = maker.write(tar(("a", FILE, b"1", "")))
    (path / "index.json").write_bytes(b"[" * 200_000)
    refused(store, path, "index.json")


def test_an_archive_with_too_many_entries_is_refused(store: Store, tmp_path: Path, few: bytes) -> None:
    (tmp_path / "e.tar").write_bytes(few)
    refused(store, tmp_path / "e.tar", "more than 1000 entries")


def test_an_archive_that_is_cut_is_refused_and_goes_on_when_it_is_whole(
    store: Store, tmp_path: Path, maker: Maker
) -> None:
    path = maker.write(tar(("a", FILE, bytes(300_000), "")), tar(("b", FILE, b"2", "")))
    with tarfile.open(tmp_path / "k.tar", "w") as out:
        out.add(path, "")
    whole = (tmp_path / "k.tar").read_bytes()
    for length in (100, 700, len(whole) // 2, len(whole) - 20_000):
        (tmp_path / "k.tar").write_bytes(whole[:length])
        refused(store, tmp_path / "k.tar", "k.tar")
    (tmp_path / "k.tar").write_bytes(whole)
    [loaded] = load(store, tmp_path / "k.tar")
    assert loaded.read("b") == b"2"


UNSHARE = shutil.which("unshare")
SMALL_DISK = 'mount -t tmpfs -o size=3m none "$1" && exec "$2" -c "$3"'
FILLED = """
import sys; from pathlib import Path
from sealpy.errors import StoreError; from sealpy.image.archive import load as loading
from sealpy.image.store.check import check
from sealpy.image.store import Store
store = Store(Path({root!r}))
store.put(b"here before", media_type="x")
if {blind}: Store.free_bytes = lambda store: 1 << 40  # somebody else fills the disk after we looked
try:
    loading.load(store, Path({archive!r}))
except StoreError as error:
    print(error.message, "|", error.hint)
assert not store.images() and not check(store).faults and len(store.blobs()) == 1, store.blobs()
assert not list((store.root / "incoming").iterdir())
"""


@pytest.mark.skipif(
    not UNSHARE or subprocess.run([UNSHARE, "-rm", "true"], check=False, capture_output=True).returncode != 0,
    reason="this system does not let a test mount a small disk of its own",
)
@pytest.mark.parametrize(("blind", "reason"), [(False, "are needed"), (True, "no space left on device")])
def test_a_disk_that_is_full_is_told_and_nothing_stays(
    *, blind: bool, reason: str, tmp_path: Path, maker: Maker
) -> None:
    archive = maker.write(*(tar((name, FILE, bytes(1_500_000), "")) for name in "abc"))
    (tmp_path / "disk").mkdir()
    program = FILLED.format(root=str(tmp_path / "disk" / "images"), archive=str(archive), blind=blind)
    script = [SMALL_DISK, "bash", str(tmp_path / "disk"), sys.executable, program]
    done = subprocess.run([str(UNSHARE), "-rm", "bash", "-c", *script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    message, _, hint = done.stdout.partition("|")
    assert reason in message
    assert "sealpy prune" in hint
