"""Container images that are written from trees."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sealpy.errors import BadReferenceError, ImageError
from sealpy.image.container import ContainerConfig, File, Symlink, Tree, write_container_image


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {m.name: f.read() for m in tar if (f := tar.extractfile(m)) is not None}


def manifest(archive: Path) -> dict[str, Any]:
    found = members(archive)
    digest = json.loads(found["index.json"])["manifests"][0]["digest"]
    return dict(json.loads(found[f"blobs/sha256/{digest[7:]}"]))


def layer(archive: Path, number: int) -> list[tarfile.TarInfo]:
    digest = manifest(archive)["layers"][number]["digest"]
    data = gzip.decompress(members(archive)[f"blobs/sha256/{digest[7:]}"])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getmembers()


def test_every_blob_is_what_its_digest_says(tmp_path: Path) -> None:
    write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{"a": b"1"}, {"b": b"2"}])
    blobs = {name: data for name, data in members(tmp_path / "x.tar").items() if name.startswith("blobs/")}
    assert len(blobs) == 4
    assert all(name.endswith(hashlib.sha256(data).hexdigest()) for name, data in blobs.items())


def test_the_archive_carries_the_whole_name_of_the_image(tmp_path: Path) -> None:
    write_container_image(tmp_path / "x.tar", reference="web:1", layers=[{"a": b""}])
    [entry] = json.loads(members(tmp_path / "x.tar")["index.json"])["manifests"]
    assert set(entry["annotations"].values()) == {"docker.io/library/web:1"}


def test_the_same_tree_gives_the_same_bytes_whenever_and_in_whatever_order_it_was_made(tmp_path: Path) -> None:
    for directory, names in (("one", "abc"), ("two", "cba")):
        for name in names:
            path = tmp_path / directory / "sub" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, (ord(directory[0]), 7))
    digests = {
        write_container_image(tmp_path / f"{d}.tar", reference="x:1", layers=[tmp_path / d]) for d in ("one", "two")
    }
    assert len(digests) == 1
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_modes_and_symlinks_of_a_directory_are_kept_and_owners_are_root(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "tmp").mkdir(parents=True)
    (tree / "tmp").chmod(0o1777)
    (tree / "run").write_bytes(b"#!")
    (tree / "run").chmod(0o750)
    (tree / "link").symlink_to("run")
    write_container_image(tmp_path / "x.tar", reference="x:1", layers=[tree])
    found = {m.name: m for m in layer(tmp_path / "x.tar", 0)}
    assert list(found) == ["link", "run", "tmp"]
    assert (found["tmp"].mode, found["run"].mode) == (0o1777, 0o750)
    assert found["link"].linkname == "run"
    assert {(m.uid, m.gid, m.mtime) for m in found.values()} == {(0, 0, 0)}


def test_a_mapping_places_files_with_their_parents(tmp_path: Path) -> None:
    (tmp_path / "app").write_bytes(b"elf")
    tree: Tree = {"/usr/bin/app": File(tmp_path / "app", 0o755), "etc/motd": b"hi\n", "bin": Symlink("usr/bin")}
    write_container_image(tmp_path / "x.tar", reference="x:1", layers=[tree])
    names = [(m.name, m.mode) for m in layer(tmp_path / "x.tar", 0)]
    assert names == [
        ("bin", 0o777),
        ("etc", 0o755),
        ("etc/motd", 0o644),
        ("usr", 0o755),
        ("usr/bin", 0o755),
        ("usr/bin/app", 0o755),
    ]


def test_the_configuration_says_how_a_container_starts(tmp_path: Path) -> None:
    config = ContainerConfig(entrypoint=["/app"], cmd=["serve"], env={"A": "1"}, user="65534", labels={"k": "v"})
    write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{"a": b""}], config=config)
    digest = manifest(tmp_path / "x.tar")["config"]["digest"]
    written = json.loads(members(tmp_path / "x.tar")[f"blobs/sha256/{digest[7:]}"])
    assert written["config"] == {
        "Entrypoint": ["/app"],
        "Cmd": ["serve"],
        "Env": ["A=1"],
        "User": "65534",
        "Labels": {"k": "v"},
    }
    assert (written["os"], written["architecture"]) == ("linux", "amd64")


def test_two_equal_layers_are_stored_once(tmp_path: Path) -> None:
    write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{"a": b"1"}, {"a": b"1"}])
    assert len([n for n in members(tmp_path / "x.tar") if n.startswith("blobs/")]) == 3


@pytest.mark.parametrize("path", ["../a", "/", "a/../../b", ""])
def test_a_path_that_leaves_the_root_is_refused_and_nothing_is_left(tmp_path: Path, path: str) -> None:
    with pytest.raises(ImageError):
        write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{path: b"1"}])
    assert list(tmp_path.iterdir()) == []


def test_a_bad_name_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadReferenceError, match="Web"):
        write_container_image(tmp_path / "sub" / "x.tar", reference="Web:1", layers=[])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
def test_skopeo_reads_it(tmp_path: Path) -> None:
    digest = write_container_image(tmp_path / "x.tar", reference="x:1", layers=[{"a": b"1"}])
    seen = subprocess.run(["skopeo", "inspect", f"oci-archive:{tmp_path}/x.tar"], capture_output=True, check=True)
    assert json.loads(seen.stdout)["Digest"] == digest
