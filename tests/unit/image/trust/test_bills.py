"""Bills of materials: what an image consists of, as two standards write it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from sealpy.errors import ConfigError, ImageError
from sealpy.image.archives import Library
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.container import write_container_image
from sealpy.image.metadata import ContainerImageUse, Metadata
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import layers
from sealpy.image.store import Store
from sealpy.image.tarball import Tree, walk
from sealpy.image.trust.bill import bill_of
from sealpy.image.trust.bills import attach_bills, memory_of, read_bill
from tests.unit.image.trust.test_packages import APK, program

WEB: Tree = {"etc/os-release": b"ID=alpine\nVERSION_ID=3.20\n", "lib/apk/db/installed": APK.encode()}


@pytest.fixture
def full(store: Store, tmp_path: Path) -> ClusterImage:
    """Make a cluster image with a program of Go and a container image of Alpine."""
    write_container_image(tmp_path / "web.tar", reference="example.com/web:1", layers=[WEB])
    reference = Reference.parse("example.com/web:1")
    found = Library([tmp_path], architecture="amd64").find(reference)
    assert found
    parts = [write_layer(store, walk({"bin/kubelet": program("dep\ta.example/b\tv1.0.0"), "etc/motd": b"hi\n"}))]
    parts += [write_layer(store, content) for _, content, _ in layers({reference: found}, short=(), present=())]
    uses = (ContainerImageUse(image="example.com/web:1"),)
    return assemble(store, "shop:1", base=None, layers=parts, metadata=Metadata(container_images=uses))


def test_files_programs_and_container_images_are_in_the_bill(full: ClusterImage) -> None:
    bill = bill_of(full, memory_of(full.store))
    assert [file.path for file in bill.files] == ["bin/kubelet", "etc/motd"]
    assert [package.name for package in bill.files[0].packages] == ["stdlib", "a.example/b"]
    [web] = bill.containers
    assert [package.name for package in web.packages] == ["busybox", "musl", "alpine"]
    assert (web.reference.familiar, web.unread) == ("example.com/web:1", ())


def test_what_was_found_is_not_looked_for_again(full: ClusterImage, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = memory_of(full.store)
    first = bill_of(full, memory)
    monkeypatch.setattr("sealpy.image.trust.bill.read_layer", None)
    monkeypatch.setattr("sealpy.image.trust.bill.program_packages", None)
    assert bill_of(full, memory) == first
    assert memory.clear() > 0
    with pytest.raises(TypeError):
        bill_of(full, memory)


def test_spdx_is_valid_by_its_own_tools(full: ClusterImage) -> None:
    from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser  # noqa: PLC0415 - heavy
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document  # noqa: PLC0415 - heavy

    document = json.loads(read_bill(full, "spdx"))
    parser = JsonLikeDictParser()  # type: ignore[no-untyped-call]
    assert validate_full_spdx_document(parser.parse(document), "SPDX-2.3") == []
    names = {package["name"]: package for package in document["packages"]}
    assert {"shop:1", "bin/kubelet", "example.com/web:1", "musl", "a.example/b"} <= names.keys()
    contains = {
        (one["spdxElementId"], one["relatedSpdxElement"])
        for one in document["relationships"]
        if one["relationshipType"] == "CONTAINS"
    }
    assert (names["bin/kubelet"]["SPDXID"], names["a.example/b"]["SPDXID"]) in contains
    assert (names["example.com/web:1"]["SPDXID"], names["musl"]["SPDXID"]) in contains


def test_cyclonedx_is_valid_by_its_own_schema(full: ClusterImage) -> None:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - as the next
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 - two seconds in every process

    text = read_bill(full, "cyclonedx").decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    kinds = {component["name"]: component["type"] for component in document["components"]}
    assert (kinds["bin/kubelet"], kinds["example.com/web:1"], kinds["musl"]) == ("file", "container", "library")
    depends = {entry["ref"]: entry["dependsOn"] for entry in document["dependencies"]}
    assert "pkg:golang/a.example/b@v1.0.0" in depends["file:bin/kubelet"]


def test_the_same_image_has_the_same_bill(full: ClusterImage) -> None:
    memory_of(full.store).clear()
    first = read_bill(full, "spdx")
    memory_of(full.store).clear()
    assert read_bill(full, "spdx") == first


def test_a_bill_stands_beside_its_image_and_goes_with_it(full: ClusterImage) -> None:
    attach_bills(full)
    attach_bills(full)
    assert len(full.store.referrers(full.digest)) == 2
    memory_of(full.store).clear()
    (full.store.root / "contents").write_text("in the way: what is found now cannot be kept")
    assert json.loads(read_bill(full, "cyclonedx"))["bomFormat"] == "CycloneDX"
    full.store.remove("shop:1")
    assert full.store.blobs() == set()


def test_a_layer_that_cannot_be_read_is_said_in_the_bill(full: ClusterImage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: io.IOBase, *, what: str) -> None:
        raise ImageError(f"{what}: cannot be read: not a gzip file")

    monkeypatch.setattr("sealpy.image.trust.bill.read_layer", fail)
    assert "cannot be read: not a gzip file" in read_bill(full, "spdx").decode()
    assert "cannot be read: not a gzip file" in read_bill(full, "cyclonedx").decode()


def test_a_form_that_is_not_known_is_refused_with_the_nearest(full: ClusterImage) -> None:
    with pytest.raises(ConfigError, match="form 'spx': not known") as caught:
        read_bill(full, "spx")
    assert caught.value.hint == "did you mean 'spdx'?"
