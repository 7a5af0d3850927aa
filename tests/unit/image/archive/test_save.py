"""Cluster images as files, to be carried."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from sealpy.errors import ConfigError, DigestMismatchError, ImageError, StoreError
from sealpy.image.archive.formats import Format
from sealpy.image.archive.load import load
from sealpy.image.archive.save import Saved, Shipment, check_out, pack, save
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.beside import file_beside
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Index, Manifest, Platform, encode
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.store.check import check
from sealpy.image.tarball import walk

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
needs_umoci = pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is not installed")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Store:
    return Store(tmp_path / "there")


@pytest.fixture(autouse=True)
def _places(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "p").mkdir()


@pytest.fixture
def image(store: Store) -> ClusterImage:
    layers = [write_layer(store, walk({"bin/tool": b"x" * 100_000})), write_layer(store, walk({"etc/a": b"1"}))]
    return assemble(store, "kube:v1", base=None, layers=layers, metadata=Metadata(labels={"k": "v"}))


@pytest.fixture
def app(store: Store, image: ClusterImage) -> ClusterImage:
    layers = [write_layer(store, walk({"manifests/shop.yaml": b"kind: Pod\n"}))]
    return assemble(store, "shop:2", base=image, layers=layers, metadata=Metadata(type="app-installer"))


def skopeo(*words: object) -> str:
    command = ["skopeo", words[0], *(["-q", "--insecure-policy"] if words[0] == "copy" else []), *words[1:]]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- formats


@pytest.mark.parametrize("format_", [Format.OCI_ARCHIVE, Format.OCI_DIR, Format.DOCKER_ARCHIVE])
def test_every_format_brings_back_the_same_image(
    format_: Format, tmp_path: Path, image: ClusterImage, there: Store
) -> None:
    counted: list[int] = []
    saved = save(pack(image.store, "kube:v1"), tmp_path / "out" / "k", format_=format_, on_bytes=counted.append)
    assert sum(counted) == image.size < saved.size
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["k"]
    [loaded] = load(there, tmp_path / "out" / "k")
    assert (loaded.reference, loaded.digest, loaded.files) == (image.reference, image.digest, image.files)
    assert loaded.metadata == image.metadata
    assert check(there).faults == ()


def test_a_directory_as_skopeo_has_it_brings_the_image_back_under_a_given_name(
    tmp_path: Path, image: ClusterImage, there: Store
) -> None:
    save(pack(image.store, "kube:v1"), tmp_path / "k", format_=Format.DOCKER_DIR)
    with pytest.raises(ImageError, match="has no name") as caught:
        load(there, tmp_path / "k")
    assert "--tag" in caught.value.hint
    [loaded] = load(there, tmp_path / "k", tag="mine:1")
    assert (loaded.reference.familiar, loaded.digest) == ("mine:1", image.digest)


@needs_skopeo
@pytest.mark.parametrize(
    ("format_", "source"),
    [
        (Format.OCI_ARCHIVE, "oci-archive:{}"),
        (Format.OCI_DIR, "oci:{}:docker.io/library/kube:v1"),
        (Format.DOCKER_ARCHIVE, "docker-archive:{}:kube:v1"),
        (Format.DOCKER_DIR, "dir:{}"),
    ],
)
def test_skopeo_reads_what_we_save(format_: Format, source: str, tmp_path: Path, image: ClusterImage) -> None:
    save(pack(image.store, "kube:v1"), tmp_path / "k", format_=format_)
    seen = json.loads(skopeo("inspect", source.format(tmp_path / "k")))
    assert seen["Labels"] == {"k": "v"}
    assert len(seen["Layers"]) == len(image.manifest.layers)
    skopeo("copy", source.format(tmp_path / "k"), f"dir:{tmp_path}/copy")


@needs_skopeo
@pytest.mark.parametrize(
    ("target", "tag"),
    [
        ("oci-archive:{}:kube:v1", None),
        ("oci:{}:kube:v1", None),
        ("docker-archive:{}:kube:v1", None),
        ("dir:{}", "kube:v1"),
    ],
)
def test_we_load_what_skopeo_writes(
    target: str, tag: str | None, tmp_path: Path, image: ClusterImage, there: Store
) -> None:
    skopeo("copy", f"oci:{image.store.root}:{image.reference}", target.format(tmp_path / "k"))
    [loaded] = load(there, tmp_path / "k", tag=tag)
    assert loaded.reference == image.reference
    assert loaded.files == image.files
    assert loaded.metadata.labels == {"k": "v"}
    assert check(there).faults == ()


@needs_skopeo
def test_we_load_layers_that_skopeo_compressed(tmp_path: Path, image: ClusterImage, there: Store) -> None:
    skopeo("copy", "--dest-compress", f"oci:{image.store.root}:{image.reference}", f"dir:{tmp_path}/k")
    [loaded] = load(there, tmp_path / "k", tag="kube:v1")
    assert all(layer.media_type.endswith("gzip") for layer in loaded.manifest.layers)
    assert loaded.files == image.files


@needs_umoci
def test_umoci_unpacks_what_we_save_and_we_load_what_it_packs(
    tmp_path: Path, image: ClusterImage, there: Store
) -> None:
    image.store.tag("kube", image.descriptor)
    save(pack(image.store, "kube:v1"), tmp_path / "layout", format_=Format.OCI_DIR)
    index = json.loads((tmp_path / "layout" / "index.json").read_bytes())
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "v1"  # umoci takes tags alone
    (tmp_path / "layout" / "index.json").write_text(json.dumps(index))
    at = f"{tmp_path}/layout"
    subprocess.run(["umoci", "unpack", "--rootless", "--image", f"{at}:v1", tmp_path / "b"], check=True)
    assert (tmp_path / "b" / "rootfs" / "etc" / "a").read_bytes() == b"1"
    (tmp_path / "b" / "rootfs" / "etc" / "a").unlink()
    (tmp_path / "b" / "rootfs" / "etc" / "new").write_bytes(b"2")
    subprocess.run(["umoci", "repack", "--image", f"{at}:v2", tmp_path / "b"], check=True)
    skopeo("copy", f"oci:{at}:v2", f"oci:{tmp_path}/two:v2")
    [loaded] = load(there, tmp_path / "two", tag="kube:v2")
    assert "etc/a" not in loaded.files
    assert loaded.read("etc/new") == b"2"


def test_an_image_for_several_platforms_travels_whole_but_not_to_docker(
    tmp_path: Path, store: Store, image: ClusterImage, there: Store
) -> None:
    arm = assemble(store, "arm:1", base=None, layers=[], metadata=Metadata(), architecture="arm64")
    entries = tuple(
        opened.descriptor.model_copy(update={"annotations": None, "platform": Platform(architecture=name)})
        for name, opened in (("amd64", image), ("arm64", arm))
    )
    store.tag("multi:1", store.put(encode(Index(manifests=entries)), media_type=OCI_INDEX))
    save(pack(store, "multi:1"), tmp_path / "m.tar")
    load(there, tmp_path / "m.tar")
    assert there.has(arm.digest)
    assert there.has(image.digest)
    with pytest.raises(ImageError, match="2 platforms"):
        save(pack(store, "multi:1"), tmp_path / "d.tar", format_=Format.DOCKER_ARCHIVE)
    assert not (tmp_path / "d.tar").exists()


@pytest.fixture
def signature(store: Store, image: ClusterImage) -> Descriptor:
    """Let a document refer to the image."""
    config = store.put(b"{}", media_type=OCI_CONFIG)
    subject = image.descriptor.model_copy(update={"annotations": None, "platform": None})
    data = encode(Manifest(config=config, subject=subject, artifact_type="application/x-signature"))
    document = store.put(data, media_type=OCI_MANIFEST).model_copy(update={"artifact_type": "application/x-signature"})
    return store.attach(document, subject=image.digest)


@pytest.mark.parametrize("format_", [Format.OCI_ARCHIVE, Format.OCI_DIR, Format.DOCKER_ARCHIVE])
def test_signatures_travel_with_their_image(
    format_: Format, tmp_path: Path, image: ClusterImage, signature: Descriptor, there: Store
) -> None:
    save(pack(image.store, "kube:v1"), tmp_path / "k", format_=format_)
    [loaded] = load(there, tmp_path / "k")
    assert loaded.digest == image.digest
    assert [found.digest for found in there.referrers(image.digest)] == [signature.digest]


@needs_skopeo
@pytest.mark.usefixtures("signature")
def test_an_image_that_is_signed_is_one_image_to_other_tools(tmp_path: Path, image: ClusterImage) -> None:
    save(pack(image.store, "kube:v1"), tmp_path / "k.tar")
    assert json.loads(skopeo("inspect", f"oci-archive:{tmp_path}/k.tar"))["Labels"] == {"k": "v"}


def test_signatures_that_another_tool_lists_beside_the_image_are_taken_too(
    tmp_path: Path, image: ClusterImage, signature: Descriptor, there: Store
) -> None:
    save(pack(image.store, "kube:v1"), tmp_path / "k", format_=Format.OCI_DIR)
    index = json.loads((tmp_path / "k" / "index.json").read_bytes())
    beside = tmp_path / "k" / "referrers.json"
    index["manifests"] += json.loads(beside.read_bytes())["manifests"]
    beside.unlink()
    (tmp_path / "k" / "index.json").write_text(json.dumps(index))
    load(there, tmp_path / "k")
    assert [found.digest for found in there.referrers(image.digest)] == [signature.digest]


@pytest.mark.parametrize(
    ("format_", "out", "since", "part_size", "reason"),
    [
        (Format.OCI_DIR, "k", "", 1000, "a directory has no parts"),
        (Format.OCI_ARCHIVE, "full", "", 0, "full: a directory"),
        (Format.OCI_DIR, "full", "", 0, "full: there already"),
        (Format.OCI_ARCHIVE, "pipe", "", 0, "pipe: a device or a pipe"),
        (Format.DOCKER_ARCHIVE, "k", "kube:v1", 0, "docker cannot load what is left out"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    format_: Format, out: str, since: str, part_size: int, reason: str, tmp_path: Path, app: ClusterImage
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    shipment = pack(app.store, "shop:2", since=since)
    with pytest.raises(ConfigError, match=reason):
        save(shipment, tmp_path / out, format_=format_, part_size=part_size)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("format_", [Format.OCI_ARCHIVE, Format.DOCKER_ARCHIVE])
def test_a_name_that_ends_with_a_slash_is_no_file(format_: Format, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"/backups/: a directory, and {format_} is one file") as caught:
        check_out(f"{tmp_path}/backups/", format_)
    assert (
        caught.value.hint == f"name the file in it, such as '{tmp_path}/backups/image.tar', or take the format oci-dir"
    )
    check_out(f"{tmp_path}/backups/", Format.OCI_DIR)
    check_out(f"{tmp_path}/backups", format_)


@pytest.mark.parametrize("format_", [*Format])
def test_a_directory_that_is_not_there_is_not_made(format_: Format, tmp_path: Path, image: ClusterImage) -> None:
    with pytest.raises(ConfigError, match="/no where/a/k: there is no directory ") as caught:
        save(pack(image.store, "kube:v1"), tmp_path / "no where" / "a" / "k", format_=format_)
    assert caught.value.hint == f"mkdir -p '{tmp_path}/no where/a'"
    assert not (tmp_path / "no where").exists()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"/file/k: .*/file is no directory"):
        check_out(tmp_path / "file" / "k", format_)


@pytest.mark.parametrize("format_", [*Format])
def test_nothing_is_written_to_standard_output(format_: Format) -> None:
    with pytest.raises(ConfigError, match="'-': standard output takes no image") as caught:
        check_out("-", format_)
    assert caught.value.hint == "name a file, which gets its name when it is whole; './-' is one that is called '-'"
    check_out("./-", format_)


def _tar(path: Path, **files: bytes) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("format_", [Format.OCI_ARCHIVE, Format.DOCKER_ARCHIVE])
def test_a_file_that_is_no_archive_of_an_image_is_not_replaced(
    format_: Format, tmp_path: Path, image: ClusterImage
) -> None:
    shipment = pack(image.store, "kube:v1")
    save(shipment, tmp_path / "k.tar", part_size=1 << 30)
    (tmp_path / "notes 1.txt").write_text("mine\n")
    _tar(tmp_path / "mine.tar", notes_txt=b"mine")
    _tar(tmp_path / "web.tar", index_json=b"[]", manifest_json=b'{"name": "web"}')
    (tmp_path / "cut.tar").write_bytes((tmp_path / "k.tar.001").read_bytes()[:4000])
    for name in ("notes 1.txt", "mine.tar", "web.tar", "cut.tar", "k.tar.001", "k.tar.sha256"):
        out = tmp_path / name
        before = out.read_bytes()
        with pytest.raises(ConfigError, match=f"{name}: there already, and no whole archive of an image") as caught:
            save(shipment, out, format_=format_)
        assert caught.value.hint == f"name another file, or, when nobody needs this one: rm {shlex.quote(str(out))}"
        assert out.read_bytes() == before


@pytest.mark.parametrize("format_", [Format.OCI_ARCHIVE, Format.DOCKER_ARCHIVE])
def test_an_archive_of_an_image_is_replaced_and_so_is_an_empty_file(
    format_: Format, tmp_path: Path, image: ClusterImage, app: ClusterImage, there: Store
) -> None:
    out = tmp_path / "k.tar"
    out.touch()
    save(pack(image.store, "kube:v1"), out, format_=format_)
    save(pack(app.store, "shop:2"), out, format_=Format.OCI_ARCHIVE)
    assert [loaded.digest for loaded in load(there, out)] == [app.digest]
    _tar(out, manifest_json=b'[{"Config": "a.json", "RepoTags": ["a:1"], "Layers": []}]')  # as docker save wrote it
    save(pack(image.store, "kube:v1"), out, format_=format_)
    assert [loaded.digest for loaded in load(there, out)] == [image.digest]


@pytest.mark.parametrize("format_", [Format.OCI_ARCHIVE, Format.OCI_DIR, Format.DOCKER_DIR])
def test_a_blob_damaged_here_does_not_go_out(format_: Format, tmp_path: Path, image: ClusterImage) -> None:
    blob = image.store.blob_path(image.manifest.layers[0].digest)
    blob.write_bytes(blob.read_bytes().replace(b"x", b"y", 1))
    with pytest.raises(StoreError, match="damaged"):
        save(pack(image.store, "kube:v1"), tmp_path / "out" / "k", format_=format_)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("part_size", [0, 30_000])
def test_a_disk_that_fills_up_is_told_and_nothing_stays(
    part_size: int, tmp_path: Path, image: ClusterImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    shipment = pack(image.store, "kube:v1")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="out: no space left on device") as caught:
        save(shipment, tmp_path / "out" / "k.tar", part_size=part_size)
    assert "another disk" in caught.value.hint
    assert list((tmp_path / "out").iterdir()) == []


def test_a_blob_that_is_not_whole_is_told_before_anything_is_written(image: ClusterImage) -> None:
    blob = image.store.blob_path(image.manifest.layers[0].digest)
    blob.write_bytes(blob.read_bytes()[:-1])
    with pytest.raises(StoreError, match="not whole"):
        pack(image.store, "kube:v1")


# ---- deltas


def delta(app: ClusterImage, out: Path) -> tuple[Shipment, Saved]:
    shipment = pack(app.store, "shop:2", since="kube:v1")
    return shipment, save(shipment, out)


def test_a_delta_holds_only_what_the_other_side_lacks_and_is_loaded_there(
    tmp_path: Path, image: ClusterImage, app: ClusterImage, there: Store
) -> None:
    save(pack(image.store, "kube:v1"), tmp_path / "base.tar")
    load(there, tmp_path / "base.tar", tag="renamed:1")
    shipment, saved = delta(app, tmp_path / "d.tar")
    assert {blob.digest for blob in shipment.blobs}.isdisjoint(layer.digest for layer in image.manifest.layers[:2])
    assert saved.left_out == sum(layer.size for layer in image.manifest.layers[:2])
    assert saved.size < 30_000
    [loaded] = load(there, tmp_path / "d.tar")
    assert (loaded.digest, loaded.files) == (app.digest, app.files)
    assert check(there).faults == ()


def test_a_delta_without_its_base_is_refused_with_the_name_and_what_is_missing(
    tmp_path: Path, image: ClusterImage, app: ClusterImage, there: Store
) -> None:
    delta(app, tmp_path / "d.tar")
    size = sum(layer.size for layer in image.manifest.layers[:2])
    told = f"a delta to 'kube:v1' ({image.digest}), of which 2 blobs ({size} bytes) are not here"
    with pytest.raises(ImageError, match=re.escape(told)) as caught:
        load(there, tmp_path / "d.tar")
    missing = [problem.message for problem in caught.value.problems]
    assert [layer.digest in message for layer, message in zip(image.manifest.layers[:2], missing, strict=True)] == [
        True
    ] * 2
    assert caught.value.hint == "load or pull 'kube:v1' first, or carry the image without --since"
    assert there.blobs() == set(), "nothing was written"


def test_a_delta_to_another_image_of_the_same_name_says_so(tmp_path: Path, app: ClusterImage, there: Store) -> None:
    delta(app, tmp_path / "d.tar")
    other = assemble(there, "kube:v1", base=None, layers=[], metadata=Metadata(labels={"k": "other"}))
    with pytest.raises(ImageError, match="are not here") as caught:
        load(there, tmp_path / "d.tar")
    assert caught.value.hint.startswith(f"'kube:v1' here is another one, {other.digest}; load or pull")


def test_of_many_blobs_that_are_missing_the_first_are_named_and_all_are_counted(
    tmp_path: Path, store: Store, there: Store
) -> None:
    layers = [write_layer(store, walk({f"etc/{n}": str(n).encode()})) for n in range(8)]
    base = assemble(store, "kube:v1", base=None, layers=layers, metadata=Metadata())
    assemble(store, "shop:2", base=base, layers=[], metadata=Metadata(labels={"a": "b"}))
    save(pack(store, "shop:2", since="kube:v1"), tmp_path / "d.tar")
    with pytest.raises(ImageError, match="of which 9 blobs") as caught:
        load(there, tmp_path / "d.tar")
    assert len(caught.value.problems) == 4
    assert caught.value.problems[-1].message.startswith("and 6 blobs more, ")


def test_an_archive_that_lacks_a_blob_and_is_no_delta_is_refused(
    tmp_path: Path, image: ClusterImage, there: Store
) -> None:
    save(pack(image.store, "kube:v1"), tmp_path / "k", format_=Format.OCI_DIR)
    digest = image.manifest.layers[0].digest
    (tmp_path / "k" / "blobs" / "sha256" / digest[7:]).unlink()
    with pytest.raises(ImageError, match=r"1 blob \(\d+ bytes\) missing in it") as caught:
        load(there, tmp_path / "k")
    assert digest in caught.value.problems[0].message


# ---- parts


@pytest.fixture
def parts(tmp_path: Path, image: ClusterImage) -> list[Path]:
    saved = save(pack(image.store, "kube:v1"), tmp_path / "p" / "k.tar", part_size=30_000)
    return [*saved.files[:-1]]


def test_parts_are_as_long_as_wanted_and_checked_by_sha256sum(tmp_path: Path, parts: list[Path]) -> None:
    assert [path.name for path in parts] == ["k.tar.001", "k.tar.002", "k.tar.003", "k.tar.004"]
    assert [path.stat().st_size for path in parts[:-1]] == [30_000] * 3
    subprocess.run(["sha256sum", "--check", "--strict", "k.tar.sha256"], cwd=tmp_path / "p", check=True)
    with tarfile.open(fileobj=None, name=str(_joined(tmp_path, parts))) as tar:
        assert "index.json" in tar.getnames()


def _joined(tmp_path: Path, parts: list[Path]) -> Path:
    (tmp_path / "joined.tar").write_bytes(b"".join(path.read_bytes() for path in parts))
    return tmp_path / "joined.tar"


@pytest.mark.parametrize("name", ["k.tar", "k.tar.001", "k.tar.003", "k.tar.sha256"])
@pytest.mark.usefixtures("parts")
def test_parts_are_loaded_by_any_of_their_names(name: str, tmp_path: Path, image: ClusterImage, there: Store) -> None:
    [loaded] = load(there, tmp_path / "p" / name)
    assert (loaded.digest, loaded.files) == (image.digest, image.files)
    assert check(there).faults == ()


@pytest.mark.parametrize(
    ("number", "at"), [(0, 100), (0, 520), (1, 100), (3, 29_000)], ids=["header", "document", "layer", "the last"]
)
def test_a_damaged_part_is_named_and_only_it_is_needed_again(
    number: int, at: int, parts: list[Path], image: ClusterImage, there: Store
) -> None:
    damaged, good = parts[number], parts[number].read_bytes()
    at = min(at, len(good) - 2000)
    damaged.write_bytes(good[:at] + bytes(byte ^ 1 for byte in good[at : at + 900]) + good[at + 900 :])
    with pytest.raises(DigestMismatchError, match=r"k\.tar\.sha256: 1 part damaged") as caught:
        load(there, parts[0])
    [problem] = caught.value.problems
    assert problem.message.startswith(f"{damaged}: damaged")
    assert f"copy {damaged.name} again" in problem.hint
    assert there.images() == ()
    damaged.write_bytes(good)
    [loaded] = load(there, parts[0])
    assert loaded.files == image.files


def test_parts_that_are_missing_or_cut_are_all_named_before_anything_is_read(parts: list[Path], there: Store) -> None:
    parts[0].unlink()
    parts[2].write_bytes(b"cut")
    with pytest.raises(ImageError, match="2 parts of 4 not whole") as caught:
        load(there, parts[3])
    assert [problem.message for problem in caught.value.problems] == [
        f"{parts[0]}: missing", f"{parts[2]}: cut: 3 bytes of 30000",
    ]  # fmt: skip
    assert there.blobs() == set()


def test_parts_without_their_list_are_refused(tmp_path: Path, parts: list[Path], there: Store) -> None:
    (tmp_path / "p" / "k.tar.sha256").unlink()
    with pytest.raises(ImageError, match=r"k\.tar\.sha256: missing"):
        load(there, parts[0])


@pytest.mark.parametrize(
    "text", ["", "x\n", "# part size 1, total 2\n", f"# part size 9, total 9\n{'0' * 64}  ../etc.001\n"]
)
def test_a_list_of_parts_that_is_none_is_refused(text: str, tmp_path: Path, parts: list[Path], there: Store) -> None:
    (tmp_path / "p" / "k.tar.sha256").write_text(text)
    with pytest.raises(ImageError, match="not a list of the parts"):
        load(there, parts[0])


@pytest.mark.usefixtures("parts")
def test_parts_that_are_there_are_not_written_over(tmp_path: Path, image: ClusterImage) -> None:
    before = {path: path.read_bytes() for path in (tmp_path / "p").iterdir()}
    with pytest.raises(ConfigError, match="there already"):
        save(pack(image.store, "kube:v1"), tmp_path / "p" / "k.tar", part_size=1000)
    assert {path: path.read_bytes() for path in (tmp_path / "p").iterdir()} == before


def test_parts_of_an_image_that_is_damaged_here_do_not_stay(tmp_path: Path, image: ClusterImage) -> None:
    blob = image.store.blob_path(image.manifest.layers[0].digest)
    blob.write_bytes(blob.read_bytes().replace(b"x", b"y", 1))
    with pytest.raises(StoreError, match="damaged"):
        save(pack(image.store, "kube:v1"), tmp_path / "p" / "k.tar", part_size=30_000)
    assert list((tmp_path / "p").iterdir()) == []


def test_the_same_image_gives_the_same_archive(tmp_path: Path, image: ClusterImage) -> None:
    digests = set()
    for name in ("a.tar", "b.tar"):
        save(pack(image.store, "kube:v1"), tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_what_another_save_is_writing_and_what_has_a_like_name_stays(tmp_path: Path, image: ClusterImage) -> None:
    (tmp_path / ".k.mine").write_text("not of sealpy")
    (tmp_path / ".k2.sealpy-abcdefgh").write_text("of another name")
    with file_beside(tmp_path / "k") as file:
        file.write(b"theirs")
        save(pack(image.store, "kube:v1"), tmp_path / "k")
        file.write(b", whole")
    assert (tmp_path / "k").read_bytes() == b"theirs, whole"
    assert sorted(path.name for path in tmp_path.glob(".k*")) == [".k.mine", ".k2.sealpy-abcdefgh"]
