"""Container images in local archives."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.archives import Blob, ContainerImage, Library
from sealpy.image.container import write_container_image
from sealpy.image.manifest import Manifest, parse
from sealpy.image.reference import Reference
from sealpy.image.tarball import read


def ref(text: str) -> Reference:
    return Reference.parse(text)


def library(*paths: Path) -> Library:
    return Library(paths, architecture="amd64")


def bytes_of(blob: Blob) -> bytes:
    return b"".join(read(blob.source, blob.size))


def assert_whole(image: ContainerImage) -> None:
    manifest = parse(Manifest, bytes_of(image.manifest), what="manifest")
    assert [b.digest for b in (image.config, *image.layers)] == [
        manifest.config.digest,
        *(d.digest for d in manifest.layers),
    ]
    for blob in (image.manifest, image.config, *image.layers):
        assert f"sha256:{hashlib.sha256(bytes_of(blob)).hexdigest()}" == blob.digest


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def layer_tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add(tar, "file", content)
    return buffer.getvalue()


def docker_archive(path: Path, *tags: str) -> None:
    """Write what older versions of `docker save` do; the second layer is a symlink to an equal one."""
    layer = layer_tar(b"hello")
    diff_id = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id] * 2}}
    )
    manifest = [{"Config": "c.json", "RepoTags": list(tags) or None, "Layers": ["a/layer.tar", "b/layer.tar"]}]
    with tarfile.open(path, "w") as tar:
        add(tar, "c.json", config.encode())
        add(tar, "a/layer.tar", layer)
        link = tarfile.TarInfo("b/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../a/layer.tar"
        tar.addfile(link)
        add(tar, "manifest.json", json.dumps(manifest).encode())


def unpacked(archive: Path, directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    subprocess.run(["tar", "-xf", archive, "-C", directory], check=True)
    return directory


def test_an_oci_archive_gives_its_image_by_any_form_of_the_name(tmp_path: Path) -> None:
    digest = write_container_image(tmp_path / "web.tar", reference="web:1", layers=[{"a": b"1"}, {"b": b"2"}])
    found = library(tmp_path / "web.tar")
    for name in ("web:1", "docker.io/library/web:1", f"web@{digest}", f"web:1@{digest}"):
        image = found.find(ref(name))
        assert image is not None
        assert_whole(image)
    assert found.find(ref("web:2")) is None
    assert found.find(ref("quay.io/web:1")) is None


def test_a_directory_stands_for_all_archives_and_layouts_in_it(tmp_path: Path) -> None:
    write_container_image(tmp_path / "in" / "a.tar", reference="a:1", layers=[{"a": b"1"}])
    write_container_image(tmp_path / "b.tar", reference="b:1", layers=[{"a": b"1"}])
    unpacked(tmp_path / "b.tar", tmp_path / "in" / "b")
    (tmp_path / "in" / "README").write_text("not an archive")
    assert [name.familiar for name in library(tmp_path / "in").names] == ["a:1", "b:1"]
    layout = library(tmp_path / "in" / "b").find(ref("b:1"))
    assert layout is not None
    assert_whole(layout)


def test_what_docker_saves_is_read_with_its_plain_layers(tmp_path: Path) -> None:
    docker_archive(tmp_path / "x.tar", "nginx:1", "registry.example.com/nginx:1")
    found = library(tmp_path / "x.tar")
    image = found.find(ref("nginx:1"))
    assert image is not None
    assert_whole(image)
    assert found.find(ref("registry.example.com/nginx:1")) == image
    assert len(image.layers) == 2


def test_the_name_of_containerd_is_preferred_to_the_short_one_beside_it(tmp_path: Path) -> None:
    write_container_image(tmp_path / "x.tar", reference="quay.io/a/b:1", layers=[{"a": b"1"}])
    layout = unpacked(tmp_path / "x.tar", tmp_path / "x")
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "1"
    (layout / "index.json").write_text(json.dumps(index))
    assert [str(name) for name in library(layout).names] == ["quay.io/a/b:1"]


def test_of_several_platforms_the_wanted_one_is_taken(tmp_path: Path) -> None:
    write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{"a": b"1"}])
    layout = unpacked(tmp_path / "x.tar", tmp_path / "x")
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    here = {k: v for k, v in entry.items() if k != "annotations"} | {
        "platform": {"architecture": "amd64", "os": "linux"}
    }
    other = here | {"digest": "sha256:" + "0" * 64, "platform": {"architecture": "arm64", "os": "linux"}}
    data = json.dumps({"schemaVersion": 2, "manifests": [other, here]}).encode()
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(data)
    top = entry | {
        "digest": f"sha256:{digest}",
        "size": len(data),
        "mediaType": "application/vnd.oci.image.index.v1+json",
    }
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    image = library(layout).find(ref("x:1"))
    assert image is not None
    assert image.manifest.digest == entry["digest"]
    assert image.index is not None
    assert library(layout).find(ref(f"x@sha256:{digest}")) == image
    assert Library([layout], architecture="riscv64").names == ()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("x.tar", b"no tar at all, but a text of some length" * 30, "no archive of an image"),
        ("x.tar", layer_tar(b"1"), "holds no container images"),
        ("x.tar.gz", b"\x1f\x8b", "compressed archive"),
    ],
)
def test_what_is_no_archive_is_refused_by_name(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        library(tmp_path)
    assert name in caught.value.message


def test_a_damaged_manifest_is_found_out(tmp_path: Path) -> None:
    digest = write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{"a": b"1"}])
    layout = unpacked(tmp_path / "x.tar", tmp_path / "x")
    (layout / "blobs" / "sha256" / digest[7:]).write_bytes(b"{}")
    with pytest.raises(ImageError, match="damaged"):
        library(layout)


def test_an_archive_with_a_blob_missing_is_refused(tmp_path: Path) -> None:
    write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{"a": b"1"}])
    layout = unpacked(tmp_path / "x.tar", tmp_path / "x")
    image = library(layout).find(ref("x:1"))
    assert image is not None
    (layout / "blobs" / "sha256" / image.layers[0].digest[7:]).unlink()
    with pytest.raises(ImageError, match="is missing in it"):
        library(layout)
