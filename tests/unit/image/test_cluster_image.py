"""Cluster images: what is put in can be seen and read."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.errors import ImageError, StoreError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_CONFIG, OCI_MANIFEST, ImageConfig, Manifest, RootFS, encode
from sealpy.image.metadata import Application, ContainerImageUse, Launch, LaunchCommand, Metadata
from sealpy.image.payload import TreePayload
from sealpy.image.store import Store
from sealpy.image.tarball import Symlink, Tree, walk


def image(store: Store, *trees: Tree, base: ClusterImage | None = None, tag: str = "x:1") -> ClusterImage:
    layers = [write_layer(store, walk(tree)) for tree in trees]
    return assemble(store, tag, base=base, layers=layers, metadata=Metadata())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def test_every_file_is_listed_with_its_parents_mode_size_and_sha256(store: Store) -> None:
    opened = image(store, {"etc/a.yml": b"a: 1\n"})
    assert list(opened.files) == ["etc", "etc/a.yml"]
    entry = opened.files["etc/a.yml"]
    assert (entry.kind, entry.mode, entry.size) == ("file", 0o644, 5)
    assert entry.sha256 == hashlib.sha256(b"a: 1\n").hexdigest()


def test_a_file_is_read_straight_out_of_its_layer(store: Store) -> None:
    opened = image(store, {"a": b"one", "b": b"two"}, {"c": b"three"})
    assert [opened.read(name) for name in "abc"] == [b"one", b"two", b"three"]
    entry = opened.files["b"]
    blob = store.blob_path(entry.layer).read_bytes()
    assert blob[entry.offset : entry.offset + entry.size] == b"two"


def test_a_later_layer_lies_over_an_earlier_one(store: Store) -> None:
    opened = image(store, {"a": b"old", "d/x": b""}, {"a": b"new"})
    assert opened.read("a") == b"new"
    assert "d/x" in opened.files


def test_a_layer_that_comes_again_counts_where_it_comes_last(store: Store) -> None:
    assert image(store, {"a": b"1"}, {"a": b"2"}, {"a": b"1"}).read("a") == b"1"


def test_whiteouts_remove_what_lies_below(store: Store) -> None:
    opened = image(store, {"d/a": b"", "d/b": b"", "e/a": b""}, {"d/.wh.a": b"", "e/.wh..wh..opq": b"", "e/new": b""})
    assert list(opened.files) == ["d", "d/b", "e", "e/new"]


def test_a_file_in_the_place_of_a_directory_takes_its_content_away(store: Store) -> None:
    assert list(image(store, {"d/a": b""}, {"d": b"file"}).files) == ["d"]


def test_a_base_gives_its_layers_unchanged_and_only_one_list_of_files(store: Store) -> None:
    base = image(store, {"a": b"1"})
    derived = image(store, {"b": b"2"}, base=base, tag="y:1")
    assert derived.manifest.layers[:1] == base.manifest.layers[:1]
    assert len(derived.manifest.layers) == 3
    assert list(derived.files) == ["a", "b"]


def test_what_is_missing_is_named(store: Store) -> None:
    opened = image(store, {"a/b": b""})
    with pytest.raises(ImageError, match=r"zz: not in image 'x:1'"):
        opened.read("zz")
    with pytest.raises(ImageError, match="a: a dir"):
        opened.read("a")
    with pytest.raises(StoreError, match="y:1"):
        ClusterImage.open(store, "y:1")


def test_metadata_is_read_back_as_it_was_written(store: Store) -> None:
    metadata = Metadata(
        type="app-installer",
        labels={"k": "v"},
        env={"A": "1"},
        applications=(Application(name="web", type="kube", files=("web.yaml",), env={"R": "3"}),),
        launch=Launch(app_names=("web",)),
        container_images=(ContainerImageUse(image="docker.io/library/web:1", appName="web"),),
    )
    opened = assemble(store, "x:1", base=None, layers=[], metadata=metadata)
    assert opened.metadata == metadata


@pytest.mark.parametrize(
    ("app", "command"),
    [
        (
            Application(name="w", type="kube", files=("a.yaml", "b.yml")),
            "kubectl apply -f a.yaml && kubectl apply -f b.yml",
        ),
        (Application(name="w", type="shell", files=("a b.sh",)), "bash 'a b.sh'"),
        (Application(name="w", type="helm"), "helm upgrade --install w ."),
        (Application(name="w", type="kube", files=("a.yaml",), cmds=("x &&", "y")), "x && y"),
    ],
)
def test_an_app_is_launched_in_its_directory(app: Application, command: str) -> None:
    metadata = Metadata(applications=(app,), launch=Launch(app_names=("w",)))
    assert metadata.launch_commands() == (LaunchCommand("w", command, "application/apps/w"),)


def test_commands_are_launched_in_the_rootfs_and_apps_may_be_chosen_instead() -> None:
    metadata = Metadata(applications=(Application(name="w", cmds=("x",)),), launch=Launch(cmds=("a", "b")))
    assert [c.command for c in metadata.launch_commands()] == ["a", "b"]
    assert [c.command for c in metadata.launch_commands(["w"])] == ["x"]
    assert metadata.launch_commands([]) == ()
    with pytest.raises(ImageError, match="'nope'"):
        metadata.launch_commands(["nope"])


def test_the_annotations_of_the_ancestor_are_read_with_their_nulls(store: Store) -> None:
    annotations = {
        "sealer.image.extension": '{"buildClient":{"sealerVersion":"0.11"},"schemaVersion":"v1alpha1",'
        '"type":"app-installer","applications":[{"name":"n","type":"kube","files":["n.yaml"],"env":null}],'
        '"labels":null,"launch":{"cmds":null,"app_names":["n"]}}',
        "sealer.image.container.images": "null",
    }
    metadata = foreign(store, {"a": b"1"}, annotations=annotations).metadata
    assert [c.command for c in metadata.launch_commands()] == ["kubectl apply -f n.yaml"]
    assert metadata.container_images == ()


def foreign(store: Store, files: Mapping[str, bytes], *, annotations: Mapping[str, str]) -> ClusterImage:
    """Store an image as other tools make it: a compressed layer, no list of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    layer = store.put(gzip.compress(buffer.getvalue()), media_type="application/vnd.oci.image.layer.v1.tar+gzip")
    diff_id = f"sha256:{hashlib.sha256(buffer.getvalue()).hexdigest()}"
    config = store.put(encode(ImageConfig(rootfs=RootFS(diff_ids=(diff_id,)))), media_type=OCI_CONFIG)
    manifest = encode(Manifest(config=config, layers=(layer,), annotations=annotations))
    store.tag("foreign:1", store.put(manifest, media_type=OCI_MANIFEST))
    return ClusterImage.open(store, "foreign:1")


def test_an_image_of_another_tool_is_unpacked_once_and_listed_by_reading(store: Store) -> None:
    opened = foreign(store, {"etc/x": b"hello", "y": b""}, annotations={})
    assert list(opened.files) == ["etc", "etc/x", "y"]
    assert opened.read("etc/x") == b"hello"
    assert opened.files["etc/x"].sha256 == hashlib.sha256(b"hello").hexdigest()
    store.prune()
    assert store.has(opened.files["y"].layer)


def test_a_layer_recompressed_by_another_tool_keeps_its_list(store: Store) -> None:
    opened = image(store, {"a": b"1"})
    layers = []
    for layer in opened.manifest.layers:
        packed = gzip.compress(store.read(layer.digest))
        layers.append(store.put(packed, media_type="application/vnd.oci.image.layer.v1.tar+gzip"))
    manifest = opened.manifest.model_copy(update={"layers": tuple(layers)})
    store.tag("y:1", store.put(encode(manifest), media_type=OCI_MANIFEST))
    store.remove("x:1")
    again = ClusterImage.open(store, "y:1")
    assert again.files == opened.files
    assert again.read("a") == b"1"


def test_files_of_an_image_travel_as_one_stream(store: Store) -> None:
    opened = image(store, {"bin/a": b"1" * 5000, "etc/b": b"2"})
    payload = TreePayload(opened.item(entry) for entry in opened.files.values())
    with tarfile.open(fileobj=io.BytesIO(b"".join(payload.chunks()))) as tar:
        assert tar.getnames() == ["bin", "bin/a", "etc", "etc/b"]


def test_an_image_whose_manifest_and_configuration_disagree_is_refused(store: Store) -> None:
    config = store.put(encode(ImageConfig()), media_type=OCI_CONFIG)
    layer = store.put(b"x", media_type="x")
    store.tag("x:1", store.put(encode(Manifest(config=config, layers=(layer,))), media_type=OCI_MANIFEST))
    with pytest.raises(ImageError, match="as many layers"):
        ClusterImage.open(store, "x:1")


def test_a_file_whose_bytes_were_damaged_in_the_store_is_not_given_out(store: Store) -> None:
    opened = image(store, {"a": b"hello"})
    blob = store.blob_path(opened.files["a"].layer)
    blob.write_bytes(blob.read_bytes().replace(b"hello", b"hellO"))
    with pytest.raises(ImageError, match="a: damaged in blob") as caught:
        opened.read("a")
    assert "sealpy store check" in caught.value.hint


def test_a_list_that_says_more_of_a_layer_than_there_is_is_refused(store: Store) -> None:
    layer = write_layer(store, walk({"a": b"hello"}))
    lie = replace(layer.entries[0], size=100_000)
    with pytest.raises(ImageError, match="a: its 100000 bytes end behind the end of layer"):
        assemble(store, "x:1", base=None, layers=[replace(layer, entries=(lie,))], metadata=Metadata())


def test_what_cannot_be_part_of_an_image_does_not_get_into_one(store: Store) -> None:
    with pytest.raises(ImageError, match=r"'a/x' is a link to '\.\./\.\./etc', which leads out of the image"):
        write_layer(store, walk({"a/x": Symlink("../../etc")}))
