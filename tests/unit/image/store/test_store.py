"""The local images."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sealpy.errors import BadReferenceError, DigestMismatchError, ImageError, StoreError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import MOST_DOCUMENT, OCI_INDEX, Index, digest_of, encode
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store, Waste
from sealpy.image.tarball import walk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def image(store: Store, tag: str, **files: bytes) -> ClusterImage:
    layers = [write_layer(store, walk({name: data})) for name, data in files.items()]
    return assemble(store, tag, base=None, layers=layers, metadata=Metadata())


def blobs(store: Store) -> set[str]:
    return {path.name for path in store.blob_path("").iterdir()}


def test_nothing_is_made_by_looking(store: Store) -> None:
    assert store.images() == ()
    assert not store.root.exists()


@pytest.mark.parametrize("lock_is_there", [True, False])
def test_where_nothing_can_be_written_images_are_read_and_none_is_added(
    *, lock_is_there: bool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = image(store, "x:1", a=b"1")
    lock = store.root / ".blobs.lock"
    if not lock_is_there:
        lock.unlink()
    real: Any = Path.open

    def read_only(path: Path, mode: str = "r", *words: int) -> Any:
        if path.is_relative_to(store.root) and set(mode) & set("wax+"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real(path, mode, *words)

    monkeypatch.setattr(Path, "open", read_only)
    with store.keeping():
        assert ClusterImage.open(store, "x:1").read("a") == b"1"
    assert lock.exists() == lock_is_there
    with pytest.raises(OSError, match="Read-only file system"):
        store.tag("y:1", written.descriptor)


def test_images_that_are_only_read_are_kept_from_who_may_remove_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = image(store, "x:1", a=b"1").reference
    real: Any = Path.open
    reading = True

    def no_right_to_write(path: Path, mode: str = "r", *words: int) -> Any:
        if reading and path.name == ".blobs.lock" and mode != "rb":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, mode, *words)

    monkeypatch.setattr(Path, "open", no_right_to_write)
    with store.keeping():
        reading = False
        store.forget(str(name))
        assert store.discard(store.blobs()) == 0
    assert store.discard(store.blobs()) > 0


def test_a_blob_is_what_its_digest_says(store: Store) -> None:
    descriptor = store.put(b"hello", media_type="text/plain")
    assert descriptor.digest == digest_of(b"hello")
    assert store.read(descriptor.digest) == b"hello"


def test_a_torn_write_leaves_nothing(store: Store) -> None:
    with store.blob() as blob:
        blob.write(b"half, and then the power went")
    assert blobs(store) == set()
    assert list((store.root / "incoming").iterdir()) == []


def test_bytes_that_are_not_what_was_expected_are_refused(store: Store) -> None:
    with store.blob() as blob:
        blob.write(b"evil")
        with pytest.raises(DigestMismatchError):
            blob.commit(digest_of(b"good"))
    assert blobs(store) == set()


def test_a_blob_that_was_damaged_later_is_found_out(store: Store) -> None:
    digest = store.put(b"hello", media_type="x").digest
    store.blob_path(digest).write_bytes(b"hellO")
    with pytest.raises(StoreError, match="damaged"):
        store.read(digest)


def test_the_store_is_an_oci_layout_for_its_owner_alone(store: Store) -> None:
    image(store, "x:1", a=b"1")
    assert json.loads((store.root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    [entry] = json.loads((store.root / "index.json").read_bytes())["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "docker.io/library/x:1"}
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.root.rglob("*") if path.is_file()} <= {0o600, 0o644}


def test_an_image_is_found_by_any_form_of_its_name(store: Store) -> None:
    opened = image(store, "x", a=b"1")
    for name in ("x", "x:latest", "docker.io/library/x:latest", f"x@{opened.digest}"):
        assert store.resolve(name).digest == opened.digest


def test_a_missing_image_is_refused_with_the_nearest_name(store: Store) -> None:
    image(store, "kubernetes:v1.34.4", a=b"1")
    with pytest.raises(StoreError) as caught:
        store.resolve("kubernetes:v1.34.3")
    assert caught.value.hint.startswith("did you mean 'kubernetes:v1.34.4'? else bring it here: 'sealpy pull ")


def test_a_tag_moves_to_the_image_that_got_it_last(store: Store) -> None:
    first, second = image(store, "x:1", a=b"1"), image(store, "x:1", a=b"2")
    assert first.digest != second.digest
    assert [found.descriptor.digest for found in store.images()] == [second.digest]


def test_an_image_may_have_several_names(store: Store) -> None:
    image(store, "x:1", a=b"1")
    store.tag("y:2", store.resolve("x:1"))
    assert [found.reference.familiar for found in store.images()] == ["x:1", "y:2"]
    store.remove("x:1")
    assert ClusterImage.open(store, "y:2").read("a") == b"1"


def test_a_digest_is_no_tag(store: Store) -> None:
    descriptor = image(store, "x:1", a=b"1").descriptor
    with pytest.raises(BadReferenceError):
        store.tag(f"x@{descriptor.digest}", descriptor)


def test_removing_an_image_frees_only_what_no_other_needs(store: Store) -> None:
    image(store, "x:1", a=b"1", b=b"2")
    kept = image(store, "y:1", a=b"1")
    before = blobs(store)
    assert store.remove("x:1") > 0
    assert blobs(store) < before
    assert ClusterImage.open(store, "y:1").read("a") == b"1"
    store.remove(f"y@{kept.digest}")
    assert blobs(store) == set()


def test_what_is_being_added_is_not_removed(store: Store) -> None:
    with store.keeping():
        digest = store.put(b"new", media_type="x").digest
        assert store.discard({digest}) == 0
    assert store.has(digest)
    assert store.discard({digest}) == 3
    assert not store.has(digest)


def test_an_index_of_platforms_leads_to_the_one_that_is_here(store: Store) -> None:
    opened = image(store, "x:1", a=b"1")
    entry = opened.descriptor.model_copy(update={"annotations": None})
    store.tag("multi:1", store.put(encode(Index(manifests=(entry,))), media_type=OCI_INDEX))
    store.remove("x:1")
    assert ClusterImage.open(store, "multi:1").digest == opened.digest
    store.tag("empty:1", store.put(encode(Index()), media_type=OCI_INDEX))
    with pytest.raises(ImageError, match="no image for linux"):
        ClusterImage.open(store, "empty:1")


# ---- several at once, and killed ones


HEAD = (
    "import os, sys; from pathlib import Path; from sealpy.image.store import Store\nstore = Store(Path(sys.argv[1]))\n"
)


def as_another_process(store: Store, program: str, *, status: int = 0) -> None:
    """Run a program that has the store as `store`, and look at how it ends; -9 is the end by `kill -9`."""
    done = subprocess.run([sys.executable, "-c", HEAD + program, store.root], check=False, capture_output=True)
    assert done.returncode == status, done.stderr.decode()


def test_a_writer_that_is_killed_leaves_nothing_valid_and_is_tidied_up_by_the_next(store: Store) -> None:
    image(store, "x:1", a=b"1")
    before = blobs(store)
    program = "with store.blob() as b:\n  b.write(b'half'); b._file.flush(); os.kill(os.getpid(), 9)"
    as_another_process(store, program, status=-9)
    assert blobs(store) == before
    assert len(list((store.root / "incoming").iterdir())) == 1
    with store.keeping():
        assert list((store.root / "incoming").iterdir()) == []


def test_a_blob_that_was_begun_by_a_killed_process_is_gone_on_with(store: Store) -> None:
    data = b"0123456789"
    program = (
        f"with store.partial({digest_of(data)!r}) as b:\n  b.write(b'0123'); b._file.flush(); os.kill(os.getpid(), 9)"
    )
    as_another_process(store, program, status=-9)
    with store.partial(digest_of(data)) as writer:
        assert writer.size == 4
        writer.write(data[4:])
        writer.commit(digest_of(data))
    assert store.read(digest_of(data)) == data


def test_a_prune_that_is_killed_leaves_a_valid_store_and_the_next_goes_on(store: Store) -> None:
    kept = image(store, "x:1", a=b"1")
    image(store, "y:1", a=b"1", b=b"2", c=b"3")
    store.tag("y:1", kept.descriptor)
    program = (
        "unlink = Path.unlink; count = []\n"
        "def dying(path, **options):\n"
        "  count.extend([path] if path.parent.name == 'sha256' else [])\n"
        "  os.kill(os.getpid(), 9) if len(count) > 1 else unlink(path, **options)\n"
        "Path.unlink = dying; store.prune()"
    )
    assert store.waste().blobs == 5
    as_another_process(store, program, status=-9)
    assert store.waste().blobs == 4
    assert ClusterImage.open(store, "y:1").read("a") == b"1"
    assert store.prune().blobs == 4
    assert blobs(store) == {digest[7:] for digest in store.needed(kept.descriptor)}


def test_prune_removes_nothing_while_another_process_adds_and_says_which(store: Store) -> None:
    digest = store.put(b"unused", media_type="x").digest
    program = "with store.keeping():\n  print(os.getpid(), flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", HEAD + program, str(store.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        pid = int(other.stdout.readline())
        with pytest.raises(StoreError, match=f"process {pid}|another sealpy") as caught:
            store.prune()
        assert "again" in caught.value.hint
        assert store.has(digest)
        other.communicate(timeout=30)
    assert store.prune() == Waste(blobs=1, files=0, size=6)


def test_prune_removes_blobs_that_were_begun_too(store: Store) -> None:
    with store.partial(digest_of(b"12345")) as writer:
        writer.write(b"123")
    assert store.waste() == Waste(blobs=0, files=1, size=3)
    assert store.prune() == Waste(blobs=0, files=1, size=3)
    assert store.waste() == Waste(blobs=0, files=0, size=0)


def test_images_that_are_named_at_once_are_all_there(store: Store) -> None:
    descriptor = image(store, "x:1", a=b"1").descriptor
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Store(store.root).tag(f"x:n{n}", descriptor), range(40)))
    assert len(store.images()) == 41


# ---- damage


def test_a_name_is_given_only_to_an_image_that_is_whole(store: Store) -> None:
    opened = image(store, "x:1", a=b"1")
    layer = opened.manifest.layers[0].digest
    store.blob_path(layer).unlink()
    with pytest.raises(StoreError, match=layer):
        store.tag("y:1", opened.descriptor)
    assert [found.reference.familiar for found in store.images()] == ["x:1"]


def test_an_image_whose_manifest_is_damaged_can_be_removed_but_nothing_is_pruned_before(store: Store) -> None:
    broken = image(store, "x:1", a=b"1")
    image(store, "y:1", b=b"2")
    store.blob_path(broken.digest).write_bytes(b"damaged")
    with pytest.raises(StoreError, match=r"image 'docker\.io/library/x:1'") as caught:
        store.prune()
    assert "sealpy rmi" in caught.value.hint
    store.remove("x:1")
    assert store.prune().blobs == 4
    assert ClusterImage.open(store, "y:1").read("b") == b"2"


def test_a_list_of_names_that_is_damaged_is_told_with_a_way_out(store: Store) -> None:
    image(store, "x:1", a=b"1")
    (store.root / "index.json").write_bytes(b"{")
    with pytest.raises(StoreError, match=r"index\.json") as caught:
        store.images()
    assert "load the images again" in caught.value.hint


def test_a_document_that_is_too_long_is_not_read_into_memory(store: Store) -> None:
    with store.blob() as writer:
        writer.write(bytes(MOST_DOCUMENT + 1))
        digest = writer.commit()
    with pytest.raises(ImageError, match="too long"):
        store.read(digest)
