"""What made the layers of an image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.history import history, origins, without_login
from sealpy.image.manifest import HistoryEntry, ImageConfig, RootFS, digest_of
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def made(store: Store, tag: str, base: ClusterImage | None, **files: str) -> ClusterImage:
    layers = [
        replace(write_layer(store, walk({name: name.encode()})), made_by=made_by) for name, made_by in files.items()
    ]
    return assemble(store, tag, base=base, layers=layers, metadata=Metadata())


def told(image: ClusterImage) -> list[str]:
    return [layer.made_by for layer in history(image.manifest, image.config)]


def test_what_made_the_layers_of_the_base_is_kept(store: Store) -> None:
    base = made(store, "base:1", None, a="COPY a .", b="")
    app = made(store, "app:1", base, c="APP web")
    assert told(base) == ["COPY a .", "", "sealpy: the lists of all files"]
    assert told(app) == ["COPY a .", "", "APP web", "sealpy: the lists of all files"]


def test_a_base_of_another_tool_is_no_obstacle(store: Store) -> None:
    base = made(store, "base:1", None, a="COPY a .")
    foreign = replace(base, config=base.config.model_copy(update={"history": None}))
    assert told(made(store, "app:1", foreign, c="APP web")) == ["", "APP web", "sealpy: the lists of all files"]


def test_what_made_no_layer_is_passed_over() -> None:
    said = (HistoryEntry(created_by="ENV A=1", empty_layer=True), HistoryEntry(created_by="COPY"))
    config = ImageConfig(rootfs=RootFS(diff_ids=(digest_of(b"1"),)), history=said)
    assert [made_by for _, made_by in origins(config)] == ["COPY"]


def test_a_history_of_other_layers_tells_nothing() -> None:
    config = ImageConfig(rootfs=RootFS(diff_ids=(digest_of(b"1"), digest_of(b"2"))), history=(HistoryEntry(),))
    assert [made_by for _, made_by in origins(config)] == ["", ""]


def test_logins_in_addresses_are_taken_out(store: Store) -> None:
    assert without_login("ADD https://me:secret@example.com/x?y=1 .") == "ADD https://example.com/x?y=1 ."
    assert told(made(store, "a:1", None, a="ADD https://me:secret@example.com/x ."))[0] == "ADD https://example.com/x ."
