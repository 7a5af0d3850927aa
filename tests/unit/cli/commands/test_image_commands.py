"""The commands on local images, as one types them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import ContainerImageUse, Metadata, Spot
from sealpy.image.store import Store
from sealpy.image.tarball import walk


@pytest.fixture
def digest(home: Path) -> str:
    store = Store(home / "images")
    layers = [write_layer(store, walk({"etc/motd": b"hi\n"}))]
    return assemble(store, "kube:v1", base=None, layers=layers, metadata=Metadata(labels={"k": "v"})).digest


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must succeed, and give what it wrote to stdout."""
    assert run(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_images_lists_names_digests_and_sizes(capsys: pytest.CaptureFixture[str], digest: str) -> None:
    assert f"kube:v1   {digest[7:19]}" in told(capsys, "images")
    assert digest in told(capsys, "images", "--digests")
    assert told(capsys, "images", "--names") == "kube:v1\n"
    for words in (["--output", "json"], ["--json"]):
        [listed] = json.loads(told(capsys, "images", *words))
        assert (listed["name"], listed["digest"], listed["platforms"]) == ("kube:v1", digest, ["linux/amd64"])
        assert listed["size"] == listed["own"] > listed["shared"] == 0


def test_a_damaged_image_does_not_hide_the_others(capsys: pytest.CaptureFixture[str], digest: str, home: Path) -> None:
    store = Store(home / "images")
    assemble(store, "good:1", base=None, layers=[], metadata=Metadata())
    store.blob_path(digest).write_bytes(b"damaged")
    assert run(["images"]) == 0
    shown = capsys.readouterr()
    assert "good:1" in shown.out
    assert "damaged" in shown.out
    assert "sealpy store check" in shown.err


@pytest.mark.usefixtures("digest")
def test_the_store_is_checked_repaired_and_pruned(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert "the store is valid: 1 image, 4 blobs" in told(capsys, "store", "check")
    assert told(capsys, "store", "path").strip() == str(home / "images")
    store = Store(home / "images")
    unused = store.put(b"unused", media_type="x").digest
    assert "no image needs 6 B of it" in told(capsys, "store", "check")
    assert json.loads(told(capsys, "prune", "--dry-run", "--output", "json"))["would_remove"]["blobs"] == 1
    store.blob_path(unused).write_bytes(b"damaged")
    assert run(["store", "check"]) == 5
    err = capsys.readouterr().err
    assert "1 fault" in err
    assert f"blob {unused}: damaged" in err
    assert f"blob {unused} removed" in told(capsys, "store", "repair")
    assert told(capsys, "store", "repair") == "nothing to repair\n"
    assert json.loads(told(capsys, "store", "check", "--output", "json").splitlines()[-1])["valid"] is True
    assert told(capsys, "prune") == "nothing to remove\n"


def test_looking_after_a_store_that_is_not_there_yet_makes_none(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "prune") == "nothing to remove\n"
    assert told(capsys, "images") == "NAME   DIGEST   PLATFORM   SIZE   OWN   SHARED\n"
    assert run(["store", "check"]) == 5
    assert not home.exists()


@pytest.mark.usefixtures("digest")
def test_rmi_can_prune_and_can_be_told_not_to_mind(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    Store(home / "images").put(b"unused", media_type="x")
    shown = told(capsys, "rmi", "nothing:1", "kube:v1", "--force", "--prune")
    assert "kube:v1 removed" in shown
    assert "1 blob and 0 unfinished files, 6 B, removed" in shown
    assert run(["rmi"]) == 2
    assert "no image named" in capsys.readouterr().err


def test_inspect_shows_the_metadata_or_the_files(capsys: pytest.CaptureFixture[str], digest: str) -> None:
    shown = json.loads(told(capsys, "inspect", "kube:v1"))
    assert (shown["digest"], shown["labels"], shown["files"]) == (digest, {"k": "v"}, 1)
    assert shown["layers"][-1]["madeBy"].startswith("sealpy: ")
    assert "etc/motd" in told(capsys, "inspect", "kube:v1", "--files")


def test_inspect_lists_container_images_with_the_places_that_name_them(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    spots = (
        Spot(file="manifests/a.yaml", line=7, document=2, path="spec.containers[0].image", rule="pod"),
        Spot(file="charts/shop/templates/b.yaml", path="spec.image", rule="pod (chart)"),
    )
    uses = (
        ContainerImageUse(image="docker.io/library/nginx:1", appName="shop", foundIn=spots),
        ContainerImageUse(image="quay.io/of/the-ancestor:1"),
    )
    assemble(Store(home / "images"), "shop:1", base=None, layers=[], metadata=Metadata(container_images=uses))
    assert json.loads(told(capsys, "inspect", "shop:1", "--images", "--output", "json")) == [
        {
            "image": "docker.io/library/nginx:1",
            "app": "shop",
            "named_in": "manifests/a.yaml:7",
            "document": "2",
            "path": "spec.containers[0].image",
            "rule": "pod",
        },
        {
            "image": "docker.io/library/nginx:1",
            "app": "shop",
            "named_in": "charts/shop/templates/b.yaml",
            "document": "",
            "path": "spec.image",
            "rule": "pod (chart)",
        },
        {"image": "quay.io/of/the-ancestor:1", "app": "", "named_in": "", "document": "", "path": "", "rule": ""},
    ]
    assert "manifests/a.yaml:7" in told(capsys, "inspect", "shop:1", "--images")


@pytest.mark.usefixtures("digest")
def test_output_names_the_file_to_save_as_docker_has_it_and_a_style_as_everywhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = str(tmp_path / "k.tar")
    for words in (["--output", place, "--output=json"], ["-o", place, "-o", "json"], ["--out", place, "--output=json"]):
        saved = json.loads(told(capsys, "save", "kube:v1", *words).splitlines()[-1])
        assert saved["file"] == place


def test_an_image_travels_by_save_and_load(capsys: pytest.CaptureFixture[str], digest: str, tmp_path: Path) -> None:
    told(capsys, "save", "kube:v1", "-o", str(tmp_path / "k.tar"))
    told(capsys, "rmi", "kube:v1")
    assert json.loads(told(capsys, "images", "--output", "json")) == []
    told(capsys, "load", "-i", str(tmp_path / "k.tar"))
    [listed] = json.loads(told(capsys, "images", "--output", "json"))
    assert (listed["name"], listed["digest"]) == ("kube:v1", digest)


def test_a_packed_copy_is_saved_under_a_digest_of_its_own(
    capsys: pytest.CaptureFixture[str], digest: str, tmp_path: Path
) -> None:
    out = tmp_path / "k.tar"
    words = ("save", "kube:v1", "-o", str(out), "--compression-format", "gzip", "--output", "json")
    *events, saved = (json.loads(line) for line in told(capsys, *words).splitlines())
    assert [event["event"] for event in events if event["event"] == "warned"] == []  # nothing refers to the image
    assert saved["stored_digest"] == digest != saved["digest"]
    told(capsys, "load", "-i", str(out), "--tag", "packed:1")
    listed = {row["name"]: row["digest"] for row in json.loads(told(capsys, "images", "--output", "json"))}
    assert listed == {"kube:v1": digest, "packed:1": saved["digest"]}
    assert told(capsys, "inspect", "packed:1", "--files") == told(capsys, "inspect", "kube:v1", "--files")


def test_what_refers_to_the_stored_image_does_not_go_with_a_packed_one_and_that_is_said(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALPY_KEY_PASSPHRASE", "marker-of-a-passphrase")
    (tmp_path / "Kubefile").write_text("FROM scratch\nLABEL a=b\n")
    told(capsys, "build", "-t", "shop:1", str(tmp_path))
    told(capsys, "keygen", str(tmp_path / "ann"))
    told(capsys, "sign", "shop:1", "--key", str(tmp_path / "ann.key"))
    stored = Store(home / "images").resolve("shop:1").digest
    assert run(["save", "shop:1", "-o", str(tmp_path / "s.tar"), "--compression-format", "gzip"]) == 0
    err = capsys.readouterr().err
    assert f": its signature and its bills of materials stay here, with {stored}" in err
    assert "sign the packed one where it was pulled or loaded" in err
    told(capsys, "load", "-i", str(tmp_path / "s.tar"), "--tag", "packed:1")
    assert run(["verify", "packed:1", "--key", str(tmp_path / "ann.pub")]) == 5
    assert "packed:1: not signed" in capsys.readouterr().err
    assert run(["verify", "shop:1", "--key", str(tmp_path / "ann.pub")]) == 0


@pytest.mark.usefixtures("digest")
def test_a_delta_travels_in_parts(capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path) -> None:
    store = Store(home / "images")
    base = ClusterImage.open(store, "kube:v1")
    app = assemble(store, "shop:2", base=base, layers=[], metadata=Metadata(type="app-installer"))
    out = str(tmp_path / "d.tar")
    words = ("shop:2", "--since", "kube:v1", "-o", out, "--part-size", "4K", "--output", "json")
    saved = json.loads(told(capsys, "save", *words).splitlines()[-1])
    assert saved["left_out"] == sum(layer.size for layer in base.manifest.layers)
    assert saved["files"] == [f"{out}.001", f"{out}.002", f"{out}.sha256"]
    told(capsys, "rmi", "shop:2")
    assert f"shop:2  {app.digest}" in told(capsys, "load", "-i", out)
    told(capsys, "rmi", "shop:2", "kube:v1")
    assert run(["load", "-i", out]) == 5
    assert "next: load or pull 'kube:v1' first" in capsys.readouterr().err


@pytest.mark.usefixtures("digest")
def test_images_are_compared_merged_and_looked_into(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path
) -> None:
    store = Store(home / "images")
    layers = [write_layer(store, walk({"etc/motd": b"hello\n", "app": b"1"}))]
    assemble(store, "shop:2", base=None, layers=layers, metadata=Metadata(labels={"k": "w"}))
    lines = told(capsys, "diff", "kube:v1", "shop:2").splitlines()
    assert lines[:3] == ["2 files:", "  + app  1 B", "  ~ etc/motd  3 B → 6 B"]
    assert "  ~ labels.k  v → w" in lines
    assert json.loads(told(capsys, "diff", "kube:v1", "kube:v1", "--output", "json"))["files"] == []
    assert told(capsys, "diff", "kube:v1", "kube:v1").splitlines() == ["no difference", "to be moved: 0 B"]
    assert run(["merge", "kube:v1", "shop:2", "-t", "both:1"]) == 5
    assert "file 'etc/motd': not the same in 'kube:v1' and 'shop:2'" in capsys.readouterr().err
    assert "both:1  sha256:" in told(capsys, "merge", "kube:v1", "shop:2", "-t", "both:1", "--conflicts", "last")
    told(capsys, "export", "both:1", str(tmp_path / "rootfs"))
    assert (tmp_path / "rootfs" / "etc" / "motd").read_text() == "hello\n"
    assert "(not recorded)" in told(capsys, "history", "both:1")
    assert json.loads(told(capsys, "history", "both:1", "--output", "json"))[-1]["made_by"].startswith("sealpy: ")


@pytest.mark.usefixtures("digest")
def test_each_difference_is_one_line_whatever_the_image_says_of_itself(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assemble(Store(home / "images"), "x:1", base=None, layers=[], metadata=Metadata(labels={"k": "a\n\nb\x1b[2J"}))
    assert "  ~ labels.k  v → a  b\\x1b[2J" in told(capsys, "diff", "kube:v1", "x:1").splitlines()


@pytest.mark.usefixtures("digest")
def test_a_directory_that_is_called_like_standard_output_is_meant_by_its_path(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["export", "kube:v1", "-"]) == 2
    assert not (tmp_path / "-").exists()
    assert "next: name a directory, which gets its name when it is whole; './-'" in capsys.readouterr().err
    told(capsys, "export", "kube:v1", "./-")
    assert (tmp_path / "-" / "etc" / "motd").is_file()


def test_the_home_that_the_first_image_makes_is_private(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.umask(0o022)
    try:
        told(capsys, "images")
        assert not home.exists(), "looking leaves nothing behind"
        (home.parent / "Kubefile").write_text("FROM scratch\n")
        told(capsys, "build", "-t", "x:1", str(home.parent))
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (home, home / "images")] == [0o700, 0o700]


def test_a_tag_is_another_name_for_the_same_image(capsys: pytest.CaptureFixture[str], digest: str) -> None:
    told(capsys, "tag", "kube:v1", "registry.example.com/kube:v1", "kube:latest")
    listed = json.loads(told(capsys, "images", "--output", "json"))
    assert {image["digest"] for image in listed} == {digest}
    assert [image["name"] for image in listed] == ["kube:latest", "kube:v1", "registry.example.com/kube:v1"]


def test_what_is_to_be_removed_and_is_not_here_need_not_be_brought_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rmi", "zzz"]) == 5
    assert capsys.readouterr().err == (
        "error: image 'zzz:latest': not among the local images\n"
        "next: 'sealpy images' lists what is here; with --force that is no error\n"
    )


@pytest.mark.usefixtures("digest")
def test_rmi_removes_none_when_one_of_the_names_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rmi", "kube:v1", "docker.io/library/kube:v2"]) == 5
    assert "did you mean 'kube:v1'?" in capsys.readouterr().err
    assert "kube:v1" in told(capsys, "images")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["inspect", "kube:v2"], 5, "image 'kube:v2': not among the local images"),
        (["inspect", "Kube:v2"], 2, "image name 'Kube:v2'"),
        (["load", "-i", "nowhere.tar"], 2, "nowhere.tar: no such file"),
        (["load", "-i", "-"], 2, "'-': standard input is not read"),
        (["load", "-i", __file__], 5, f"{__file__}: no archive of an image"),
        (["save", "kube:v1", "-o", "x", "--part-size", "big"], 2, "--part-size 'big': not an amount of bytes"),
        (["save", "kube:v1", "--output", "text"], 2, "--output 'text': that is a style, and no file"),
        (["save", "kube:v1", "-o", "x", "--output", "y"], 2, "--output: 2 places, x, y"),
        (["save", "kube:v1", "-o", "new/"], 2, "new/: a directory, and oci-archive is one file"),
        (["save", "kube:v1", "-o", "-"], 2, "'-': standard output takes no image"),
        (["save", "kube:v1", "-o", "/nope/a/x.tar"], 2, "next: mkdir -p /nope/a"),
        (["save", "kube:v1", "-o", __file__], 2, f"{__file__}: there already, and no whole archive of an image"),
        (["save", "kube:v1", "-o", ""], 2, "'--out': nothing is named"),
        (["load", "-i", ""], 2, "'--input': nothing is named"),
        (["build", "-t", "x:1", ""], 2, "'PATH': nothing is named"),
        (["verify", "kube:v1", "--key", ""], 2, "'--key': nothing is named"),
        (["save", "kube:v1", "-o", "."], 2, "name the file in it, such as 'image.tar'"),
        (["save", "kube:v1", "-o", "x", "--compression-format", "zstd"], 2, "'zstd' is not one of 'gzip'"),
        (["save", "a", "-o", "x", "--compression-format", "gzip", "--since", "b"], 2, "leave one of the two out"),
        (["build", "-t", "x:1", "--output", "oci-archive:new/", "."], 2, "new/: a directory"),
        (["build", "-t", "x:1", "--output", "oci-archive:-", "."], 2, "'-': standard output takes no image"),
        (["build", "-t", "x:1", "--output", "oci-dir:/nope/a/x", "."], 2, "next: mkdir -p /nope/a"),
        (["build", "-t", "x:1", "--output", f"oci-archive:{__file__}", "."], 2, f"{__file__}: there already"),
        (["export", "kube:v1", "-"], 2, "'-': standard output takes no directory"),
        (["export", "kube:v1", ""], 2, "invalid value for 'DIR': nothing is named"),
        (["merge", "kube:v1", "-t", "x:1"], 2, "nothing to merge"),
        (["save", "kube:v1", "-o", "x", "--format", "tar"], 2, "oci-archive"),
        (["build", "-t", "x:1", "--build-arg", "A", "."], 2, "--build-arg 'A': not NAME=VALUE"),
        (["build", "."], 2, "tag"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, text: str
) -> None:
    assert run(arguments) == code
    assert text in capsys.readouterr().err


def test_build_makes_an_image_and_tells_its_digest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "Kubefile").write_text("FROM scratch\nARG WHAT=x\nCOPY ${WHAT} etc\n")
    (tmp_path / "motd").write_text("hi\n")
    lines = told(capsys, "build", "-m", "cloud", "-t", "x:1", "--build-arg", "WHAT=motd", str(tmp_path)).splitlines()
    assert lines[-1].startswith("x:1  sha256:")
    assert "etc/motd" in told(capsys, "inspect", "x:1", "--files")
