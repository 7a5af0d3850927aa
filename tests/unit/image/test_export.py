"""The rootfs of an image as a directory."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sealpy.errors import ConfigError, ImageError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.export import export
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import File, Member, Symlink, Tree, walk


@pytest.fixture
def image(tmp_path: Path) -> ClusterImage:
    store = Store(tmp_path / "images")
    tree: Tree = {
        "bin/a": File(b"1" * 70_000, 0o755), "etc/b": File(b"2", 0o600), "lib": Symlink("usr/lib"), "gone/x": b"",
    }  # fmt: skip
    closed = [(Member("closed", "dir", 0o555), b""), (Member("closed/x", mode=0o444), b"")]
    above: list[tuple[Member, bytes]] = [(Member("lib", "dir", 0o755), b""), (Member("lib/c", size=1), b"3")]
    above += [(Member("gone", "dir", 0o755), b""), (Member("gone/.wh.x"), b"")]
    layers = [write_layer(store, content) for content in (walk(tree), closed, above)]
    return assemble(store, "x:1", base=None, layers=layers, metadata=Metadata())


def test_the_files_are_those_of_the_image_after_all_its_layers(tmp_path: Path, image: ClusterImage) -> None:
    counted: list[int] = []
    (tmp_path / "out").mkdir()
    assert export(image, tmp_path / "out" / "rootfs", on_bytes=counted.append) == 4
    root = tmp_path / "out" / "rootfs"
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == [*sorted(image.files)]
    assert (root / "bin" / "a").read_bytes() == b"1" * 70_000
    assert (root / "lib").is_dir()
    assert not (root / "lib").is_symlink()
    modes = {name: stat.S_IMODE((root / name).stat().st_mode) for name in ("bin/a", "etc/b", "closed", "closed/x")}
    assert modes == {"bin/a": 0o755, "etc/b": 0o600, "closed": 0o555, "closed/x": 0o444}
    assert sum(counted) == 70_002
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rootfs"]


def test_an_empty_directory_may_be_there_and_no_other(tmp_path: Path, image: ClusterImage) -> None:
    (tmp_path / "out").mkdir()
    export(image, tmp_path / "out")
    with pytest.raises(ConfigError, match="out: there already"):
        export(image, tmp_path / "out")


def test_a_directory_above_that_is_not_there_is_not_made(tmp_path: Path, image: ClusterImage) -> None:
    with pytest.raises(ConfigError, match="/nope/rootfs: there is no directory ") as caught:
        export(image, tmp_path / "nope" / "rootfs")
    assert caught.value.hint == f"mkdir -p {tmp_path}/nope"
    assert not (tmp_path / "nope").exists()


def test_a_file_that_is_damaged_leaves_nothing_behind(tmp_path: Path, image: ClusterImage) -> None:
    blob = image.store.blob_path(image.files["bin/a"].layer)
    blob.write_bytes(blob.read_bytes().replace(b"11", b"10", 1))
    (tmp_path / "out").mkdir()
    with pytest.raises(ImageError, match="bin/a: damaged in blob"):
        export(image, tmp_path / "out" / "rootfs")
    assert list((tmp_path / "out").iterdir()) == []
